import type { ResourceStore } from '../store/types.ts';
import { catalogOf } from './catalog.ts';
import { Text } from './render.ts';
import type { Target } from './target.ts';

type Labels = Readonly<Record<string, string>>;

/** What this server has answered so far, for `/metrics`. */
export class RequestCounts {
  readonly #counts = new Map<string, { readonly labels: Labels; count: number }>();

  /** @param target what was asked for; only what is served is told apart, so that nobody can make up new ones */
  add(verb: string, target: Target | undefined, code: number): void {
    const labels = { code: String(code), ...describe(target, code), verb: verb.toUpperCase() };
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key);
    if (known) known.count += 1;
    else this.#counts.set(key, { labels, count: 1 });
  }

  *[Symbol.iterator](): Iterator<Sample> {
    for (const { labels, count } of this.#counts.values()) yield [labels, count];
  }
}

function describe(target: Target | undefined, code: number): Labels {
  const type = target?.type;
  if (!target || !type) return { group: '', resource: '', scope: '', subresource: '', version: '' };
  const scope =
    target.name === undefined ? (target.namespace === undefined ? 'cluster' : 'namespace') : 'resource';
  const subresource = code < 400 ? (target.subresource ?? '') : '';
  return { group: type.group, resource: type.plural, scope, subresource, version: type.version };
}

type Sample = readonly [labels: Labels, value: number];

/** `/metrics` in the text form of Prometheus, under the names that a real API server uses. */
export function serverMetrics(store: ResourceStore, counts: RequestCounts): Text {
  const kept = new Map(catalogOf(store).all.map((type) => [type.storedAs, type]));
  const objects = [...kept].map(([resource]): Sample => [{ resource }, store.list(resource).length]);
  const { user, system } = process.cpuUsage();
  const parts = [
    family('apiserver_request_total', 'counter', 'Requests that were answered.', counts),
    family('apiserver_storage_objects', 'gauge', 'Objects that are kept.', objects),
    family('process_cpu_seconds_total', 'counter', 'Processor time of the whole process.', [
      [{}, (user + system) / 1_000_000],
    ]),
    family('process_resident_memory_bytes', 'gauge', 'Memory of the whole process.', [
      [{}, process.memoryUsage.rss()],
    ]),
  ];
  return new Text('text/plain; version=0.0.4; charset=utf-8', parts.join(''));
}

function family(name: string, type: string, help: string, samples: Iterable<Sample>): string {
  const lines = [...samples].map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Labels): string {
  // Names of groups and resources hold nothing that would have to be escaped.
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
