import { createHash } from 'node:crypto';
import { HttpFault } from '../fault.ts';
import type { Store } from '../store/store.ts';

/** Visible ASCII; the draft's quoted string (draft-ietf-httpapi-idempotency-key-header) counts without its quotes. */
const KEY = /^"?([\x21\x23-\x7e][\x20\x21\x23-\x7e]{0,254})"?$/;

/** Undefined: the client sent none. @throws HttpFault 400 */
export function idempotencyKeyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? KEY.exec(header)?.[1] : undefined;
  if (key === undefined) throw new HttpFault(400, 'Invalid Idempotency-Key');
  return key;
}

/** The id of the entry that this key has made, now or before. @throws HttpFault 422 for another body */
export async function createOnce(store: Store, text: string, key: string): Promise<string> {
  const fingerprint = createHash('sha256').update(text).digest('base64url');
  const creation = await store.createOnce(text, { key, fingerprint });
  if (creation.kind === 'conflict') throw new HttpFault(422, 'Idempotency-Key was used with another body');
  return creation.id;
}
