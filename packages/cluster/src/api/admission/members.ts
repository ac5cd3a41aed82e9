import { isRecord } from '../schema/conform.ts';

/** The members of an object whose shape the schema has checked already. */
export type Members = Record<string, unknown>;

/** The object at `key`; an empty, unattached one when there is none. */
export function recordAt(owner: unknown, key: string): Members {
  const value = isRecord(owner) ? owner[key] : undefined;
  return isRecord(value) ? value : {};
}

/** The objects of the list at `key`. */
export function recordsAt(owner: unknown, key: string): Members[] {
  const value = isRecord(owner) ? owner[key] : undefined;
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The object at `key`, made when there is none. */
export function ensureRecord(owner: Members, key: string): Members {
  const value = owner[key];
  if (isRecord(value)) return value;
  const made: Members = {};
  owner[key] = made;
  return made;
}

/** Sets what is not given. */
export function defaults(owner: Members, values: Members): void {
  for (const [key, value] of Object.entries(values))
    if (owner[key] === undefined) owner[key] = structuredClone(value);
}

export function textAt(owner: unknown, key: string): string | undefined {
  const value = isRecord(owner) ? owner[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(owner: unknown, key: string): number | undefined {
  const value = isRecord(owner) ? owner[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}
