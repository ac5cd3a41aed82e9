/** The part of an nft table that changes while it stands: named sets, chains, and elements of the sets that stay. */
export interface Ruleset {
  /** Name -> declaration. Their elements are the kernel's to keep, unless the declaration has some. */
  readonly sets: ReadonlyMap<string, string>;
  /** Name -> rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Name of a set or map of the standing part -> key -> verdict, empty for a set. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export const EMPTY_RULESET: Ruleset = { sets: new Map(), chains: new Map(), elements: new Map() };

/** One of several; what has the same name is the same. */
export function joinRulesets(parts: readonly Ruleset[]): Ruleset {
  const elements = new Map<string, Map<string, string>>();
  for (const [name, entries] of parts.flatMap((part) => [...part.elements])) {
    elements.set(name, new Map([...(elements.get(name) ?? []), ...entries]));
  }
  return {
    sets: new Map(parts.flatMap(({ sets }) => [...sets])),
    chains: new Map(parts.flatMap(({ chains }) => [...chains])),
    elements,
  };
}

const NO_ENTRIES: ReadonlyMap<string, string> = new Map();

/**
 * The nft commands that make `after` of `before` in one transaction; empty when they are the same. What stays is not
 * touched: sets keep what the kernel has put into them.
 */
export function renderChange(table: string, before: Ruleset, after: Ruleset): string {
  const newSets = [...after.sets].filter(([name]) => !before.sets.has(name));
  const newChains = [...after.chains.keys()].filter((name) => !before.chains.has(name));
  const changed = [...after.chains].filter(([name, rules]) => !sameRules(before.chains.get(name), rules));
  const deadChains = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  const deadSets = [...before.sets.keys()].filter((name) => !after.sets.has(name));
  const commands = [
    ...newSets.map(([name, declaration]) => `add set ip ${table} ${name} { ${declaration} }`),
    ...newChains.map((name) => `add chain ip ${table} ${name}`),
    ...changed.flatMap(([name, rules]) => [
      ...(before.chains.has(name) ? [`flush chain ip ${table} ${name}`] : []),
      ...rules.map((rule) => `add rule ip ${table} ${name} ${rule}`),
    ]),
    ...elementCommands(table, before, after),
    // What is taken away may still be named by rules of others that are: first no chain has any rules.
    ...deadChains.map((name) => `flush chain ip ${table} ${name}`),
    ...deadChains.map((name) => `delete chain ip ${table} ${name}`),
    ...deadSets.map((name) => `delete set ip ${table} ${name}`),
  ];
  return commands.map((command) => `${command}\n`).join('');
}

function sameRules(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return (
    one !== undefined && one.length === other.length && one.every((rule, index) => rule === other[index])
  );
}

function elementCommands(table: string, before: Ruleset, after: Ruleset): string[] {
  const names = new Set([...before.elements.keys(), ...after.elements.keys()]);
  return [...names].flatMap((name) => {
    const old = before.elements.get(name) ?? NO_ENTRIES;
    const now = after.elements.get(name) ?? NO_ENTRIES;
    const gone = [...old].filter(([key, value]) => now.get(key) !== value);
    const come = [...now].filter(([key, value]) => old.get(key) !== value);
    return [
      ...(gone.length > 0 ? [`delete element ip ${table} ${name} { ${listed(gone)} }`] : []),
      ...(come.length > 0 ? [`add element ip ${table} ${name} { ${listed(come)} }`] : []),
    ];
  });
}

const listed = (entries: readonly (readonly [string, string])[]) =>
  entries.map(([key, value]) => (value === '' ? key : `${key} : ${value}`)).join(', ');
