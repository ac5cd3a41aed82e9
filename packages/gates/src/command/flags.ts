/** One option of a command line. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string;
  /** One letter, without dash. */
  readonly short?: string;
  /** Other names with the same meaning. */
  readonly aliases?: readonly string[];
  /** `switch` takes no value (but `--name=false`); `list` may be repeated and split by commas. */
  readonly kind: 'switch' | 'value' | 'list';
}

export interface ParsedFlags {
  /** By the spec's name. A switch holds `true` or `false`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** What could not be understood, each a sentence. Nothing is ignored in silence. */
  readonly errors: readonly string[];
}

/** Reads `--name value`, `--name=value`, `-n value`, `-nvalue`, `--` and a lone `-`. */
export function parseFlags(argv: readonly string[], specs: readonly FlagSpec[]): ParsedFlags {
  const reader = new FlagReader(specs);
  const rest = [...argv];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') return reader.done(rest);
    reader.take(arg, rest);
  }
  return reader.done([]);
}

class FlagReader {
  readonly #specs: readonly FlagSpec[];
  readonly #values = new Map<string, readonly string[]>();
  readonly #positionals: string[] = [];
  readonly #errors: string[] = [];

  constructor(specs: readonly FlagSpec[]) {
    this.#specs = specs;
  }

  done(rest: readonly string[]): ParsedFlags {
    return { values: this.#values, positionals: [...this.#positionals, ...rest], errors: this.#errors };
  }

  take(arg: string, rest: string[]): void {
    if (!arg.startsWith('-') || arg === '-') this.#positionals.push(arg);
    else if (arg.startsWith('--')) this.#long(arg.slice(2), rest);
    else this.#short(arg.slice(1), rest);
  }

  #long(text: string, rest: string[]): void {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const spec = this.#specs.find((known) => known.name === name || known.aliases?.includes(name));
    if (spec === undefined) this.#unknown(`--${name}`);
    else this.#assign(spec, equals < 0 ? undefined : text.slice(equals + 1), rest);
  }

  #short(text: string, rest: string[]): void {
    const spec = this.#specs.find(({ short }) => short === text[0]);
    if (spec === undefined) return this.#unknown(`-${text}`);
    const inline = text.slice(1).replace(/^=/, '');
    if (spec.kind !== 'switch') return this.#assign(spec, inline === '' ? undefined : inline, rest);
    this.#assign(spec, undefined, rest);
    if (inline !== '') this.#short(inline, rest);
  }

  #assign(spec: FlagSpec, inline: string | undefined, rest: string[]): void {
    const value = inline ?? (spec.kind === 'switch' ? 'true' : rest.shift());
    if (value === undefined) {
      this.#errors.push(`the option --${spec.name} needs a value`);
      return;
    }
    const earlier = spec.kind === 'list' ? (this.#values.get(spec.name) ?? []) : [];
    this.#values.set(spec.name, [...earlier, ...(spec.kind === 'list' ? splitList(value) : [value])]);
  }

  #unknown(written: string): void {
    const near = nearest(
      written.replace(/^-+/, ''),
      this.#specs.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    );
    this.#errors.push(`unknown option ${written}${near === undefined ? '' : ` (did you mean --${near}?)`}`);
  }
}

/** By commas, blanks around them and empty parts dropped. */
export function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The candidate that looks most like `written`, if any comes near. */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((name) => ({ name, distance: editDistance(written, name) }));
  const best = ranked.toSorted((a, b) => a.distance - b.distance)[0];
  const limit = Math.max(2, Math.floor(written.length / 3));
  if (best !== undefined && best.distance <= limit) return best.name;
  return candidates.find((name) => written.length > 2 && (name.includes(written) || written.includes(name)));
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Is this environment value a yes? */
export function isTruthy(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : /^(?:1|y|on|true|yes)$/i.test(value.trim());
}
