import type { Soon } from '../soon.ts';

/** All entries at one moment. The same object comes back while nothing changed, where the store can tell. */
export interface Listing {
  /** One JSON object: id -> entry. */
  readonly text: string;
  /** Names of stored things that are no entry (damaged from outside). They are left out of `text`, and said. */
  readonly unreadable: readonly string[];
}

/** A part of the entries, in the order of their ids. */
export interface Page {
  /** One JSON object: id -> entry. */
  readonly text: string;
  /** The last id of this page, when there are entries behind it. */
  readonly next: string | undefined;
}

/** Makes a create that is sent again the same create. */
export interface Once {
  /** Chosen by the client; remembered for a day. */
  readonly key: string;
  /** Of what is created: another one under the same key is a mistake. */
  readonly fingerprint: string;
}

/** `repeated`: the key has made this entry before (it may have been removed since). */
export type Creation =
  | { readonly kind: 'created' | 'repeated'; readonly id: string }
  | { readonly kind: 'conflict' };

/** How long a key is remembered. */
export const ONCE_MS = 24 * 3_600_000;

/** What became of a conditional write. */
export type WriteOutcome = 'done' | 'absent' | 'refused';

/** Looks at the entry that is there now, inside the write: no other write comes between. */
export type Accept = (currentText: string) => boolean;

/**
 * Where entries live. Ids are 32 hexadecimal digits, made by the store; texts are valid JSON and come back byte for
 * byte. Every method may be called concurrently; a write is whole or not at all, and is there for everyone who shares
 * the store when its promise resolves. Ids that were never made are simply absent.
 */
export interface Store {
  /** For people and `/readyz`: what it is and who shares it. */
  readonly description: string;
  open(): Promise<void>;
  /** Rejects when the store cannot serve now. */
  ping(): Promise<void>;
  /** @throws StoreFull */
  create(text: string): Promise<string>;
  /** Several at once under one key make one entry. @throws StoreFull, StoreBusy */
  createOnce(text: string, once: Once): Promise<Creation>;
  get(id: string): Soon<string | undefined>;
  /** Never creates. @throws StoreFull, StoreBusy */
  replace(id: string, text: string, accept?: Accept): Promise<WriteOutcome>;
  remove(id: string, accept?: Accept): Promise<WriteOutcome>;
  list(): Soon<Listing>;
  /** At most `limit` entries whose ids come after `after`. Damaged ones are left out. */
  page(request: { readonly after: string; readonly limit: number }): Promise<Page>;
  close(): Promise<void>;
}

export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}

/** Another writer held the entry for too long. Worth trying again. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
}

/** The store cannot be reached; whether a write took effect is not known. Worth trying again. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
  /** It was waited for as long as a request may wait. */
  readonly tookTooLong: boolean;

  constructor(message: string, options: { cause?: unknown; tookTooLong?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.tookTooLong = options.tookTooLong ?? false;
  }
}

/** What is stored under this name is not what this service wrote. */
export class EntryUnreadable extends Error {
  override readonly name = 'EntryUnreadable';
}

/** Joins texts that are JSON already: no entry is parsed or written again for a list. */
export function joinEntries(entries: Iterable<readonly [id: string, text: string]>): string {
  const members: string[] = [];
  for (const [id, text] of entries) members.push(`"${id}":${text}`);
  return `{${members.join(',')}}`;
}

/** One more than was asked for tells whether there is a next page. */
export function pageOf(entries: readonly (readonly [id: string, text: string])[], limit: number): Page {
  const shown = entries.slice(0, limit);
  return {
    text: joinEntries(shown),
    next: entries.length > limit ? shown.at(-1)?.[0] : undefined,
  };
}
