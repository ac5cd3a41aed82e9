import { ApiFault, forbidden, methodNotAllowed, notFound } from './status.ts';
import type { KubeStatus } from './status.ts';
import type { KubeObject } from '../store/types.ts';
import type { Answer, ApiContext } from './context.ts';
import { requestDeletion } from './deletion.ts';
import type { DeletionOptions } from './deletion.ts';
import { servedForm } from './forms.ts';
import { selected } from './read.ts';
import { checkDryRun, decodeBody, integer, invalidOption } from './request.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import type { ServedResource } from './resources.ts';
import { conform } from './schema/conform.ts';
import { resumed } from './webhooks/awaiting.ts';
import type { Named, Place } from './write.ts';

const DEFINITION = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';

interface Options extends DeletionOptions {
  readonly dryRun: boolean;
}

interface Raw {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: readonly string[];
}

/** DELETE of one object. */
export function remove(context: ApiContext, request: ApiRequest, named: Named): Answer {
  const options = readOptions(request);
  const target = { resource: named.type.storedAs, namespace: named.namespace, name: named.name };
  if (named.type.storedAs === NAMESPACES && IMMORTAL.has(named.name))
    throw forbidden(named.type, named.name, 'this namespace may not be deleted');
  const orphansPods = named.type.storedAs === 'jobs.batch' && options.propagationPolicy === undefined;
  const warnings = orphansPods ? [JOB_WARNING] : [];
  judgeDeletion(context, named, options);
  if (options.dryRun) {
    const object = context.store.get(target.resource, target.namespace, target.name);
    if (!object) throw notFound(named.type, named.name);
    return { code: 200, body: servedForm(named.type, object), warnings };
  }
  const { object, removed } = requestDeletion(context, target, options);
  return {
    code: 200,
    body: removed ? deleted(named.type, object) : servedForm(named.type, object),
    warnings,
  };
}

const NAMESPACES = 'namespaces';
/** Without them the cluster is none. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

const JOB_WARNING =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

function deleted(type: ServedResource, object: KubeObject): KubeStatus {
  const { name, uid } = object.metadata;
  const group = type.group ? { group: type.group } : {};
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...group, kind: type.plural, uid },
    code: 200,
  };
}

/** Asks the webhooks that there may be. @throws Awaiting, ApiFault */
function judgeDeletion({ gate, store }: ApiContext, named: Named, options: Options): void {
  const { type, namespace, name } = named;
  const before = gate && store.get(type.storedAs, namespace, name);
  if (!before) return;
  const { dryRun, ...asked } = options;
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'meta.k8s.io/v1',
    ...asked,
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
  const change = { operation: 'DELETE', type, namespace, name, object: undefined, before } as const;
  gate.enter({ ...change, dryRun, options: body }).leave(undefined);
}

/** DELETE of a collection: everything that the selectors match. */
export function removeCollection(
  context: ApiContext,
  request: ApiRequest,
  place: Place,
): Answer | Promise<Answer> {
  if (place.type.storedAs === NAMESPACES) throw methodNotAllowed();
  const options = readOptions(request);
  const objects = selected(context, request.query, place);
  const goes = (object: KubeObject) => removeOne(context, { type: place.type, object }, options);
  if (context.gate) return removeInTurn(objects, goes).then(() => removedList(context, place, objects));
  for (const object of objects) goes(object);
  return removedList(context, place, objects);
}

/** Webhooks are asked about each: what is gone is not asked about again. */
async function removeInTurn(
  objects: readonly KubeObject[],
  goes: (object: KubeObject) => void,
): Promise<void> {
  for (const object of objects) await resumed(() => goes(object));
}

function removeOne(
  context: ApiContext,
  { type, object }: { readonly type: ServedResource; readonly object: KubeObject },
  options: Options,
): void {
  const { namespace, name } = object.metadata;
  // An object may take others with it.
  if (!context.store.get(type.storedAs, namespace, name)) return;
  judgeDeletion(context, { type, namespace, name, subresource: undefined }, options);
  if (!options.dryRun) requestDeletion(context, { resource: type.storedAs, namespace, name }, options);
}

function removedList(context: ApiContext, place: Place, objects: readonly KubeObject[]): Answer {
  const metadata = { resourceVersion: String(context.store.revision) };
  const body = {
    kind: `${place.type.kind}List`,
    apiVersion: apiVersionOf(place.type),
    metadata,
    items: objects.map((object) => servedForm(place.type, object)),
  };
  return { code: 200, body };
}

/** From the body, else from the query. @throws ApiFault 400, 422 */
export function readOptions(request: ApiRequest): Options {
  const raw = request.body.length > 0 ? fromBody(request) : fromQuery(request.query);
  return toOptions(raw);
}

export function toOptions(raw: Raw): Options {
  checkDryRun(raw.dryRun ?? [], 'DeleteOptions');
  const { propagationPolicy, orphanDependents, gracePeriodSeconds, preconditions } = raw;
  if (propagationPolicy && orphanDependents !== undefined) {
    throw invalidOption(
      'DeleteOptions',
      'propagationPolicy',
      `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`,
    );
  }
  const policy = policyOf(propagationPolicy, orphanDependents);
  return {
    dryRun: (raw.dryRun ?? []).length > 0,
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions ? { preconditions } : {}),
  };
}

function policyOf(
  text: string | undefined,
  orphan: boolean | undefined,
): DeletionOptions['propagationPolicy'] {
  if (orphan !== undefined) return orphan ? 'Orphan' : 'Background';
  if (!text) return undefined;
  if (text === 'Background' || text === 'Foreground' || text === 'Orphan') return text;
  const words = `Unsupported value: ${JSON.stringify(text)}: supported values: "Background", "Foreground", "Orphan"`;
  throw invalidOption('DeleteOptions', 'propagationPolicy', words);
}

function fromBody(request: ApiRequest): Raw {
  const value = decodeBody(request);
  if (value === null) return {};
  const { object } = conform(DEFINITION, value, 'DeleteOptions');
  if (object['kind'] !== undefined && object['kind'] !== 'DeleteOptions') {
    throw new ApiFault(
      400,
      'BadRequest',
      'the object provided is unrecognized (must be of type DeleteOptions)',
    );
  }
  const query = fromQuery(request.query);
  return { ...query, ...(object as Raw) };
}

function fromQuery(query: URLSearchParams): Raw {
  const grace = integer(query, 'gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(orphan ? { orphanDependents: orphan.toLowerCase() === 'true' } : {}),
    dryRun: query.getAll('dryRun').filter(Boolean),
  };
}
