import { timestamp } from '@updraft/kit';
import type { KubeObject } from '../store/types.ts';
import { admitChange, admitCreate } from './admission/admit.ts';
import type { ApiContext, ObjectAnswer, Writer } from './context.ts';
import { applyFields } from './fields/managed-fields.ts';
import { PatchProblem, applyJsonPatch } from './patch/json-patch.ts';
import { checkListsForMerge } from './patch/list-limit.ts';
import { applyMergePatch } from './patch/merge-patch.ts';
import { applyStrategicMerge } from './patch/strategic-merge.ts';
import { servedForm, storedType } from './forms.ts';
import { checkShape, decodeBody, invalidOption, writerOf } from './request.ts';
import type { ApiRequest } from './request.ts';
import type { ServedResource } from './resources.ts';
import { Mistyped, isRecord } from './schema/conform.ts';
import { SIGNING_REQUESTS, stampRequester } from './signing/request.ts';
import { ApiFault, badRequest, invalid, unsupportedMediaType } from './status.ts';
import type { Passage } from './webhooks/gate.ts';
import { judgeChange, judgeCreation } from './webhooks/judge.ts';
import {
  checkName,
  checkVersion,
  existing,
  inertWarning,
  kindWarnings,
  readObject,
  replace,
  store,
} from './write.ts';
import type { Named } from './write.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';
const PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY];

/** PATCH of an object or of its status, in any of the four forms. */
export function patch(context: ApiContext, request: ApiRequest, named: Named): ObjectAnswer {
  const writer = writerOf(request, 'PatchOptions');
  if (request.contentType === APPLY) return apply(context, request, { named, writer });
  const before = existing(context, named);
  const value = patched(servedForm(named.type, before), request, named.type);
  const { object, warnings } = readPatched(request, value, { named, writer });
  checkName(object, named.name);
  return { code: 200, ...replace(context, { named, writer, before, object, warnings }) };
}

/** What a patch made of the object must still be one. @throws ApiFault 400, 422 */
function readPatched(
  request: ApiRequest,
  value: unknown,
  { named, writer }: Application,
): ReturnType<typeof readObject> {
  try {
    return readObject(value, named, writer);
  } catch (error) {
    if (!(error instanceof Mistyped)) throw error;
    const words = request.contentType === STRATEGIC ? error.restoring : error.message;
    const message = `Invalid value: "object": ${words}`;
    throw invalid({ group: '', plural: '', kind: '' }, '', [
      { reason: 'FieldValueInvalid', field: 'patch', message },
    ]);
  }
}

/** The result of the request's patch on `target`. @throws ApiFault 400, 415, 422 */
export function patched(
  target: unknown,
  request: ApiRequest,
  type: Pick<ServedResource, 'definition' | 'custom'>,
): unknown {
  // Nobody knows the merge keys of what a CustomResourceDefinition describes.
  const accepted = type.custom ? PATCH_TYPES.filter((name) => name !== STRATEGIC) : PATCH_TYPES;
  if (!accepted.includes(request.contentType)) throw unsupportedMediaType(accepted);
  const change = decodeBody(request);
  try {
    // What is moved about may end up deeper than it came.
    if (request.contentType === JSON_PATCH) return checkShape(applyJsonPatch(target, change));
    if (!isRecord(change)) throw badRequest('the patch must be an object');
    if (request.contentType === MERGE_PATCH) return structuredClone(applyMergePatch(target, change));
    for (const part of [target, change]) checkListsForMerge(part);
    return structuredClone(applyStrategicMerge(target, change, type.definition));
  } catch (error) {
    if (!(error instanceof PatchProblem)) throw error;
    const reason = `the server rejected our request due to an error in our request: ${error.message}`;
    throw new ApiFault(422, 'Invalid', reason);
  }
}

interface Application {
  readonly named: Named;
  readonly writer: Writer;
}

function apply(context: ApiContext, request: ApiRequest, application: Application): ObjectAnswer {
  const { named, writer } = application;
  const { applied, warnings } = readApplied(request, application);
  const live = context.store.get(named.type.storedAs, named.namespace, named.name);
  for (const part of [live, applied]) checkListsForMerge(part);
  if (live) checkVersion(named, live, applied);
  else if (named.subresource !== undefined) existing(context, named);
  else if (named.type.storedAs === SIGNING_REQUESTS) stampRequester(applied, request.user);
  const time = timestamp(context.clock.now());
  const { subresource } = named;
  const type = storedType(named.type);
  let passage: Passage | undefined;
  const object = applyFields(type, live, applied, {
    writer: { manager: writer.manager, subresource, time },
    force: writer.force,
    finish: (merged) => {
      const finished = finish(context, named, { merged: structuredClone(merged), live });
      ({ passage } = finished);
      return finished.object;
    },
  });
  passage?.leave(object);
  const known = [...warnings, ...kindWarnings(type, object)];
  if (live) {
    const write = { object, before: live, dryRun: writer.dryRun };
    return { code: 200, object: object === live ? live : store(context, type, write), warnings: known };
  }
  const all = [...known, ...inertWarning(type)];
  const created = writer.dryRun ? object : context.store.create(type.storedAs, object);
  return { code: 201, object: created, warnings: all };
}

/** @throws ApiFault 400, 422 */
function readApplied(
  request: ApiRequest,
  application: Application,
): { readonly applied: KubeObject; readonly warnings: readonly string[] } {
  const { named, writer } = application;
  if (!request.query.get('fieldManager')) {
    throw invalidOption('PatchOptions', 'fieldManager', 'Required value: is required for apply patch');
  }
  const value = decodeBody(request);
  const { object: applied, warnings } = readObject(value, named, writer);
  if (!isRecord(value) || value['kind'] === undefined || value['apiVersion'] === undefined) {
    throw badRequest("error decoding YAML: Object 'Kind' or 'apiVersion' is missing");
  }
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  applied.metadata.name ||= named.name;
  checkName(applied, named.name);
  return { applied, warnings };
}

function finish(
  context: ApiContext,
  named: Named,
  change: { readonly merged: KubeObject; readonly live: KubeObject | undefined },
): { readonly object: KubeObject; readonly passage: Passage | undefined } {
  const { merged, live: before } = change;
  const type = storedType(named.type);
  if (!before) {
    const { object, passage } = judgeCreation(context, named, merged);
    return { object: admitCreate(context, type, object, passage?.uid), passage };
  }
  const { object, passage } = judgeChange(context, named, { object: merged, before });
  const { subresource } = named;
  return { object: admitChange(context, { type, subresource }, { object, before }), passage };
}
