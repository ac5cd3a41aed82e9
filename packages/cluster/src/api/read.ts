import type { KubeObject } from '../store/types.ts';
import type { ApiContext } from './context.ts';
import { integer } from './request.ts';
import { apiVersionOf } from './resources.ts';
import type { ServedResource } from './resources.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { ApiFault, badRequest, expired, tooLargeVersion } from './status.ts';
import type { Place } from './write.ts';

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface ObjectList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly KubeObject[];
}

/** Whether an object is in the selection of a query. */
export function matcher(type: ServedResource, query: URLSearchParams): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const selectable = type.custom?.selectableFields.map((path) => path.replace(/^\./, ''));
  const fields = parseFieldSelector(type.storedAs, query.get('fieldSelector') ?? '', selectable);
  return (object) => labels(object.metadata.labels ?? {}) && fields(object);
}

/** What the query selects now. */
export function selected(context: ApiContext, query: URLSearchParams, place: Place): readonly KubeObject[] {
  return context.store.list(place.type.storedAs, place.namespace).filter(matcher(place.type, query));
}

interface Snapshot {
  readonly revision: number;
  readonly selection: string;
  readonly items: readonly KubeObject[];
}

const KEPT_SNAPSHOTS = 32;

/** Pages of one list show one moment: the list they were cut from is kept for a while. */
export class Snapshots {
  readonly #kept: Snapshot[] = [];

  keep(snapshot: Snapshot): void {
    this.#kept.push(snapshot);
    if (this.#kept.length > KEPT_SNAPSHOTS) this.#kept.shift();
  }

  find(revision: number, selection: string): Snapshot | undefined {
    return this.#kept.find((each) => each.revision === revision && each.selection === selection);
  }
}

interface Token {
  readonly revision: number;
  readonly start: number;
  /** Namespace and name of the last object shown, for a fresh start when the snapshot is gone. */
  readonly after: string;
}

/** GET of a collection. @throws ApiFault 400, 410, 504 */
export function list(
  context: ApiContext,
  query: URLSearchParams,
  place: Place & { snapshots: Snapshots },
): ObjectList {
  const { type, namespace, snapshots } = place;
  const limit = integer(query, 'limit') ?? 0;
  if (limit < 0) throw badRequest('limit must not be negative');
  const selection = JSON.stringify([
    type.storedAs,
    namespace,
    query.get('labelSelector') ?? '',
    query.get('fieldSelector') ?? '',
  ]);
  const token = readToken(query.get('continue'));
  const page = token
    ? resume(context, { token, selection, place })
    : fresh(context, query, { selection, place });
  const end = limit > 0 ? Math.min(page.start + limit, page.items.length) : page.items.length;
  const items = page.items.slice(page.start, end);
  const metadata: ListMeta = { resourceVersion: String(page.revision) };
  if (end >= page.items.length) return answer(type, metadata, items);
  snapshots.keep({ revision: page.revision, selection, items: page.items });
  const selects = query.get('labelSelector') || query.get('fieldSelector');
  const next = writeToken({ revision: page.revision, start: end, after: keyOf(items.at(-1)) });
  const remaining = selects ? {} : { remainingItemCount: page.items.length - end };
  return answer(type, { ...metadata, continue: next, ...remaining }, items);
}

function answer(type: ServedResource, metadata: ListMeta, items: readonly KubeObject[]): ObjectList {
  return { kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata, items };
}

interface Page {
  readonly revision: number;
  readonly start: number;
  readonly items: readonly KubeObject[];
}

interface Selection {
  readonly selection: string;
  readonly place: Place & { snapshots: Snapshots };
}

function fresh(context: ApiContext, query: URLSearchParams, what: Selection): Page {
  const asked = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  checkMatch(asked, match);
  const present = context.store.revision;
  const revision = asked === '' ? 0 : parseVersion(asked);
  if (revision > present) throw tooLargeVersion(revision, present);
  if (match === 'Exact' && revision !== present) {
    const kept = what.place.snapshots.find(revision, what.selection);
    if (!kept) throw expired(`The resourceVersion for the provided list is too old.`);
    return { revision, start: 0, items: kept.items };
  }
  return { revision: present, start: 0, items: selected(context, query, what.place) };
}

function badMatch(why: string): ApiFault {
  const words = `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: ${why}`;
  return new ApiFault(422, 'Invalid', words, { group: 'meta.k8s.io', kind: 'ListOptions' });
}

function checkMatch(asked: string, match: string): void {
  if (match === '') return;
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    const words = `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`;
    throw badMatch(words);
  }
  if (asked === '')
    throw badMatch('Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match === 'Exact' && asked === '0') {
    throw badMatch('Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
}

/** @throws ApiFault 400 */
export function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: invalid syntax`);
  return Number(text);
}

function resume(context: ApiContext, what: Selection & { readonly token: Token }): Page {
  const { token, selection, place } = what;
  const kept = place.snapshots.find(token.revision, selection);
  if (kept) return { revision: token.revision, start: token.start, items: kept.items };
  if (token.revision === FROM_NOW) {
    const parsed = JSON.parse(selection) as [string, string | undefined, string, string];
    const query = new URLSearchParams({ labelSelector: parsed[2], fieldSelector: parsed[3] });
    const items = selected(context, query, place).filter((object) => keyOf(object) > token.after);
    return { revision: context.store.revision, start: 0, items };
  }
  const again = writeToken({ ...token, revision: FROM_NOW });
  throw expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    again,
  );
}

/** A token that asks for the rest as it is now. */
const FROM_NOW = -1;

function keyOf(object: KubeObject | undefined): string {
  return `${object?.metadata.namespace ?? ''}\u0000${object?.metadata.name ?? ''}`;
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

function readToken(text: string | null): Token | undefined {
  if (!text) return undefined;
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Partial<Token>;
    const { revision, start, after } = token;
    if (typeof revision === 'number' && typeof start === 'number' && typeof after === 'string') {
      return { revision, start: Math.max(0, start), after };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid: unrecognized token');
}
