import { badRequest } from '../status.ts';
import { conform, isRecord } from '../schema/conform.ts';
import { OBJECT_META } from '../schema/schema.ts';
import type { Conformed } from '../schema/conform.ts';
import type { CustomType } from './custom-type.ts';
import { prune } from './shape-value.ts';

/** An object of a custom kind without what its schema does not know. @throws ApiFault 400 for metadata that is none */
export function conformCustom(custom: CustomType, value: Record<string, unknown>, kind: string): Conformed {
  const { apiVersion, kind: named, metadata, ...rest } = value;
  if (metadata !== undefined && metadata !== null && !isRecord(metadata))
    throw badRequest(`${kind}: metadata must be an object`);
  const unknown: string[] = [];
  const { properties, ...others } = custom.schema;
  const { apiVersion: _a, kind: _k, metadata: _m, ...members } = properties ?? {};
  const object = prune({ ...others, properties: members }, rest, { path: '', unknown });
  const meta = conform(OBJECT_META, metadata ?? {}, kind);
  unknown.push(...meta.unknownFields.map((field) => `metadata.${field}`));
  return {
    object: { apiVersion, kind: named, metadata: meta.object, ...(object as Record<string, unknown>) },
    unknownFields: unknown,
  };
}
