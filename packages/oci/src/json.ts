import { OciFault } from './faults.ts';

/** JSON with the keys of every object sorted and no blanks: the same value always gives the same bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isRecord(inner) ? sorted(inner) : inner));
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws OciFault MANIFEST_INVALID when the bytes are not a JSON object */
export function parseJsonObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new OciFault('MANIFEST_INVALID', `${what} is not JSON`, { cause: error });
  }
  if (!isRecord(value)) throw new OciFault('MANIFEST_INVALID', `${what} is not a JSON object`);
  return value;
}
