import { resolveExtends } from '../extends.ts';
import { Problems } from '../problems.ts';
import type { Position } from '../pipeline.ts';
import { OLD_DEFAULTS } from '../configuration.ts';
import { child, isNull, isText, positionOf } from '../tree.ts';
import type { Entry, MapTree, Mark, ReferenceTree, Tree } from '../tree.ts';
import type { KeyOrigin, Origin, Parent, ReferenceOrigin } from './explanation.ts';

/** An entry that was written for some key of a job, and how it came to the job. */
interface Candidate {
  readonly entry: Entry;
  readonly from: Origin['from'];
  readonly via: readonly string[];
  /** The job or template it stands in. */
  readonly home: string;
}

interface WrittenVariable {
  readonly value: string;
  /** The template; undefined: the job itself. */
  readonly via: string | undefined;
  readonly position: Position;
}

/** Deeper chains than GitLab allows were reported when the configuration was read. */
const MAX_LEVELS = 12;

/** Knows where everything in a job was written: the configuration with includes put in, but nothing else. */
export class Origins {
  readonly #assembled: MapTree;
  #extended: MapTree | undefined;

  constructor(assembled: MapTree) {
    this.#assembled = assembled;
  }

  get names(): readonly string[] {
    return [...this.#assembled.entries.keys()];
  }

  entry(name: string): Entry | undefined {
    return this.#assembled.entries.get(name);
  }

  /** Everything the job extends, the nearest of each chain first. */
  parents(name: string, chain: readonly string[] = []): readonly Parent[] {
    const written = child(this.entry(name)?.value, 'extends');
    if (!written || chain.length > MAX_LEVELS || chain.includes(name)) return [];
    return textsOf(written).flatMap((parent) => [
      { name: parent.value, of: name, position: positionOf(parent.at) },
      ...this.parents(parent.value, [...chain, name]),
    ]);
  }

  /** The keys of a job as it is at the end, in its order. */
  keys(name: string, job: MapTree): readonly KeyOrigin[] {
    const sources = this.#sources(name, { via: [], chain: [] });
    const defaults = this.#defaults();
    return [...job.entries.values()]
      .filter(({ value }) => !isNull(value))
      .map((entry) => {
        const all = [...sources, ...defaults].flatMap((source) => candidateIn(source, entry.key));
        return this.#origin(entry, all);
      });
  }

  /** What the job and the templates it extends say for one of its variables, strongest first. */
  variable(name: string, key: string): readonly WrittenVariable[] {
    return this.#sources(name, { via: [], chain: [] }).flatMap(({ map, via }) => {
      const variables = child(map, 'variables');
      const entry = variables?.kind === 'map' ? variables.entries.get(key) : undefined;
      const value = entry && (child(entry.value, 'value') ?? entry.value);
      if (!entry || value?.kind !== 'leaf') return [];
      return [{ value: value.text, via: via.at(-1), position: positionOf(entry.at) }];
    });
  }

  /** Job and parents, strongest first. */
  #sources(name: string, path: { via: readonly string[]; chain: readonly string[] }): readonly Source[] {
    const value = this.entry(name)?.value;
    if (value?.kind !== 'map' || path.chain.includes(name) || path.chain.length > MAX_LEVELS) return [];
    const own: Source = {
      map: value,
      from: path.via.length === 0 ? 'own' : 'extends',
      via: path.via,
      home: name,
    };
    const written = value.entries.get('extends')?.value;
    const parents = written ? textsOf(written).toReversed() : [];
    const chain = [...path.chain, name];
    return [
      own,
      ...parents.flatMap((parent) =>
        this.#sources(parent.value, { via: [...path.via, parent.value], chain }),
      ),
    ];
  }

  #defaults(): readonly Source[] {
    const given = this.entry('default')?.value;
    const old = [...this.#assembled.entries].filter(([key]) => OLD_DEFAULTS.includes(key));
    const map: MapTree = { ...this.#assembled, entries: new Map(old) };
    const top: Source = { map, from: 'default', via: [], home: '' };
    return given?.kind === 'map' ? [{ map: given, from: 'default', via: [], home: 'default' }, top] : [top];
  }

  #origin(entry: Entry, all: readonly Candidate[]): KeyOrigin {
    const winner = all.find((one) => isSame(one.entry.at, entry.at));
    const over = all.filter(
      (one) => one !== winner && (one.from !== 'default' || winner?.from === 'default'),
    );
    const maps = all.filter((one) => one.entry.value.kind === 'map' && one.from !== 'default');
    return {
      key: entry.key,
      ...(winner
        ? this.#place(winner)
        : { from: 'own', via: [], anchorIn: undefined, position: positionOf(entry.at) }),
      over: over.map((one) => this.#place(one)),
      references: winner ? this.#references(winner.entry.value) : [],
      parts: entry.value.kind === 'map' && maps.length > 1 ? this.#parts(entry.value, maps) : [],
    };
  }

  #parts(map: MapTree, candidates: readonly Candidate[]): readonly KeyOrigin[] {
    return [...map.entries.values()].map((entry) => {
      const all = candidates.flatMap(({ entry: outer, ...rest }) =>
        candidateIn({ ...rest, map: outer.value as MapTree }, entry.key),
      );
      return { ...this.#origin(entry, all), parts: [] };
    });
  }

  #place({ entry, from, via, home }: Candidate): Origin {
    return { from, via, anchorIn: this.#anchorHome(entry, home), position: positionOf(entry.at) };
  }

  /** An entry that `<<` brought in stands in another job or template. */
  #anchorHome(entry: Entry, home: string): string | undefined {
    for (const [name, { value }] of this.#assembled.entries) {
      if (name === home) continue;
      const there = value.kind === 'map' ? value.entries.get(entry.key) : undefined;
      const own = this.entry(home);
      if (there && isSame(there.at, entry.at) && own && isBefore(value.at, entry.at, own.at)) return name;
    }
    return undefined;
  }

  #references(value: Tree): readonly ReferenceOrigin[] {
    return referencesIn(value).map((reference) => ({
      path: reference.path,
      position: positionOf(reference.at),
      leadsTo: this.#target(reference),
    }));
  }

  #target({ path }: ReferenceTree): Position | undefined {
    let place: Tree = (this.#extended ??= resolveExtends(this.#assembled, new Problems()));
    let at: Mark | undefined;
    for (const key of path) {
      const entry: Entry | undefined = place.kind === 'map' ? place.entries.get(key) : undefined;
      if (!entry) return undefined;
      place = entry.value;
      at = entry.at;
    }
    return at && positionOf(at);
  }
}

interface Source {
  readonly map: MapTree;
  readonly from: Origin['from'];
  readonly via: readonly string[];
  readonly home: string;
}

function candidateIn({ map, ...rest }: Source, key: string): readonly Candidate[] {
  const entry = map.entries.get(key);
  return entry ? [{ entry, ...rest }] : [];
}

const isSame = (a: Mark, b: Mark): boolean => a.source === b.source && a.offset === b.offset;

/** The anchor is written in a file above the job that uses it. */
const isBefore = (map: Mark, entry: Mark, job: Mark): boolean =>
  map.source === job.source && map.offset <= entry.offset && entry.offset < job.offset;

const textsOf = (tree: Tree) => (tree.kind === 'list' ? tree.items : [tree]).filter(isText);

function referencesIn(value: Tree): readonly ReferenceTree[] {
  if (value.kind === 'reference') return [value];
  if (value.kind === 'list') return value.items.flatMap(referencesIn);
  return value.kind === 'map'
    ? [...value.entries.values()].flatMap((entry) => referencesIn(entry.value))
    : [];
}
