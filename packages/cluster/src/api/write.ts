import { timestamp } from '@updraft/kit';
import { codeOf } from '@updraft/kit';
import type { KubeObject } from '../store/types.ts';
import { admitChange, admitCreate } from './admission/admit.ts';
import type { ApiContext, ObjectAnswer, Writer } from './context.ts';
import { finishDeletion } from './deletion.ts';
import { storedForm, storedType } from './forms.ts';
import { trackUpdate } from './fields/managed-fields.ts';
import { generatedName } from './names.ts';
import { definitionWarnings } from './custom/admit-definition.ts';
import { conformCustom } from './custom/conform.ts';
import { DEFINITIONS } from './custom/definition.ts';
import { decodeBody, writerOf } from './request.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import type { ServedResource } from './resources.ts';
import { conform, isRecord } from './schema/conform.ts';
import { SIGNING_REQUESTS, stampRequester } from './signing/request.ts';
import { ApiFault, alreadyExists, badRequest, conflict, notFound } from './status.ts';
import type { Passage } from './webhooks/gate.ts';
import { judgeChange, judgeCreation } from './webhooks/judge.ts';
import type { Judged } from './webhooks/judge.ts';

/** A resource in one namespace (or none). */
export interface Place {
  readonly type: ServedResource;
  readonly namespace: string | undefined;
}

/** One object there. */
export interface Named extends Place {
  readonly name: string;
  readonly subresource: string | undefined;
}

const NAME_TRIES = 8;

/** POST to a collection. */
export function create(context: ApiContext, request: ApiRequest, place: Place): ObjectAnswer {
  const { type } = place;
  const writer = writerOf(request, 'CreateOptions');
  const { object, warnings } = readObject(decodeBody(request), place, writer);
  if (object.metadata.resourceVersion) {
    throw new ApiFault(500, '', 'resourceVersion should not be set on objects to be created');
  }
  if (type.storedAs === SIGNING_REQUESTS) stampRequester(object, request.user);
  return { code: 201, ...createObject(context, { place, type: storedType(type), writer, object, warnings }) };
}

interface Creation {
  readonly place: Place;
  readonly type: ServedResource;
  readonly writer: Writer;
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

function createObject(context: ApiContext, creation: Creation): Omit<ObjectAnswer, 'code'> {
  const { type, writer } = creation;
  const prefix = creation.object.metadata.name ? undefined : creation.object.metadata.generateName;
  for (let tries = 1; ; tries += 1) {
    const { object, passage } = judgeCreation(context, creation.place, structuredClone(creation.object));
    if (!object.metadata.name && prefix) object.metadata.name = nameFrom(prefix, passage);
    const admitted = admitCreate(context, type, object, passage?.uid);
    const time = timestamp(context.clock.now());
    const tracked = trackUpdate(
      type,
      { manager: writer.manager, time },
      { before: undefined, after: admitted },
    );
    const { namespace, name } = tracked.metadata;
    const exists = context.store.get(type.storedAs, namespace, name) !== undefined;
    if (exists && (!prefix || tries >= NAME_TRIES)) throw alreadyExists(type, name);
    if (!exists) return storeNew(context, creation, { object: tracked, passage });
    passage?.done();
  }
}

function storeNew(
  context: ApiContext,
  { type, writer, warnings }: Creation,
  { object, passage }: Judged,
): Omit<ObjectAnswer, 'code'> {
  passage?.leave(object);
  return {
    object: writer.dryRun ? object : context.store.create(type.storedAs, object),
    warnings: [...warnings, ...inertWarning(type), ...kindWarnings(type, object)],
  };
}

/** Webhooks that are asked several times must meet the same name. */
function nameFrom(prefix: string, passage: Passage | undefined): string {
  const make = () => generatedName(prefix);
  return passage ? passage.name(make) : make();
}

/** What everybody who writes such an object should know. */
export function kindWarnings(type: ServedResource, object: KubeObject): string[] {
  if (type.storedAs === DEFINITIONS) return definitionWarnings(object);
  return type.custom?.deprecation === undefined ? [] : [type.custom.deprecation];
}

export function inertWarning(type: ServedResource): string[] {
  if (!type.inert) return [];
  return [`${apiVersionOf(type)} ${type.kind} is stored, but nothing in this cluster acts on it`];
}

/** PUT of an object or of its status. */
export function update(context: ApiContext, request: ApiRequest, named: Named): ObjectAnswer {
  const writer = writerOf(request, 'UpdateOptions');
  const { object, warnings } = readObject(decodeBody(request), named, writer);
  if (!object.metadata.name) throw badRequest('name must be provided');
  checkName(object, named.name);
  const before = existing(context, named);
  return { code: 200, ...replace(context, { named, writer, before, object, warnings }) };
}

export interface Replacement {
  readonly named: Named;
  readonly writer: Writer;
  readonly before: KubeObject;
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

/** Stores `object` in place of `before`: admission, who owns what, and the end of a deletion that waited for this. */
export function replace(context: ApiContext, change: Replacement): Omit<ObjectAnswer, 'code'> {
  const { named, before, object, writer } = change;
  checkVersion(named, before, object);
  const type = storedType(named.type);
  const { subresource } = named;
  const { object: changed, passage } = judgeChange(context, named, { object, before });
  const admitted = admitChange(context, { type, subresource }, { object: changed, before });
  const time = timestamp(context.clock.now());
  const after = trackUpdate(
    type,
    { manager: writer.manager, time, subresource },
    { before, after: admitted },
  );
  passage?.leave(after);
  return {
    object: store(context, type, { object: after, before, dryRun: writer.dryRun }),
    warnings: [...change.warnings, ...kindWarnings(type, after)],
  };
}

/** @throws ApiFault 409 when the object says it was read at another version, or is another one of the same name */
export function checkVersion(named: Named, before: KubeObject, object: KubeObject): void {
  const { resourceVersion, uid } = object.metadata;
  if (uid && uid !== before.metadata.uid) {
    const words = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`;
    throw conflict(named.type, named.name, words);
  }
  // 0 stands for "whichever it is".
  const isNamed = resourceVersion && resourceVersion !== '0';
  if (isNamed && resourceVersion !== before.metadata.resourceVersion) throw conflict(named.type, named.name);
}

/** Writes an admitted object; a write that ends a deletion takes the object out. */
export function store(
  context: ApiContext,
  type: ServedResource,
  write: { readonly object: KubeObject; readonly before: KubeObject; readonly dryRun: boolean },
): KubeObject {
  const { object, before } = write;
  const metadata = { ...object.metadata, resourceVersion: before.metadata.resourceVersion };
  if (write.dryRun) return { ...object, metadata };
  try {
    const stored = context.store.update(type.storedAs, { ...object, metadata });
    finishDeletion(context.store, type.storedAs, stored);
    return stored;
  } catch (error) {
    if (codeOf(error) === 'CONFLICT') throw conflict(type, object.metadata.name);
    throw error;
  }
}

/** @throws ApiFault 404 */
export function existing(context: ApiContext, named: Pick<Named, 'type' | 'namespace' | 'name'>): KubeObject {
  const object = context.store.get(named.type.storedAs, named.namespace, named.name);
  if (!object) throw notFound(named.type, named.name);
  return object;
}

export function checkName(object: KubeObject, name: string): void {
  const own = object.metadata.name;
  if (own === name) return;
  throw badRequest(`the name of the object (${own}) does not match the name on the URL (${name})`);
}

/**
 * A value from a client as an object of the place: kind and namespace agree, unknown fields are dealt with as asked.
 * @throws ApiFault 400
 */
export function readObject(
  value: unknown,
  place: Place,
  writer: Pick<Writer, 'fieldValidation' | 'duplicates'>,
): { object: KubeObject; warnings: string[] } {
  const { type } = place;
  if (!isRecord(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${type.kind})`);
  checkKind(value, type);
  const { object, unknownFields } = type.custom
    ? conformCustom(type.custom, value, type.kind)
    : conform(type.definition, value, type.kind);
  const result = storedForm(type, object as KubeObject);
  result.kind = type.kind;
  result.metadata ??= { name: '', uid: '', resourceVersion: '', creationTimestamp: '' };
  setNamespace(result, place);
  const words = [
    ...writer.duplicates.map((field) => `duplicate field ${JSON.stringify(field)}`),
    ...unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`),
  ];
  if (words.length > 0 && writer.fieldValidation === 'Strict') {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${words.join(', ')}`,
    );
  }
  return { object: result, warnings: writer.fieldValidation === 'Warn' ? words : [] };
}

/** Clients may leave kind and version out; what they give must be right. */
function checkKind(value: Record<string, unknown>, type: ServedResource): void {
  const { kind, apiVersion } = value;
  if (kind !== undefined && kind !== type.kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${type.kind}): kind ${JSON.stringify(kind)}`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== apiVersionOf(type)) {
    throw badRequest(
      `the API version in the data (${JSON.stringify(apiVersion)}) does not match the expected API version (${apiVersionOf(type)})`,
    );
  }
}

function setNamespace(object: KubeObject, place: Place): void {
  const { metadata } = object;
  if (!place.type.namespaced) {
    delete metadata.namespace;
    return;
  }
  const asked = metadata.namespace || place.namespace;
  if (asked !== place.namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (asked) metadata.namespace = asked;
}
