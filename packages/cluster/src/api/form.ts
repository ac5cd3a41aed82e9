import { textOf } from '../store/text.ts';
import type { KubeObject } from '../store/types.ts';
import { servedForm } from './forms.ts';
import { JsonText, listText } from './json-text.ts';
import type { ApiRequest } from './request.ts';
import type { ObjectList } from './read.ts';
import type { ServedResource } from './resources.ts';
import { partial, toTable } from './tables/table.ts';

/** The form in which a client wants objects. */
export interface Form {
  readonly as: 'object' | 'Table' | 'partial';
  /** `meta.k8s.io/v1` or `v1beta1`, for the two others. */
  readonly apiVersion: string;
  readonly include: 'None' | 'Metadata' | 'Object';
}

const PLAIN: Form = { as: 'object', apiVersion: '', include: 'Metadata' };

/** The first form in the Accept header that we can give; JSON when there is none. */
export function formOf(request: Pick<ApiRequest, 'accept' | 'query'>): Form {
  const asked = request.query.get('includeObject');
  const include = asked === 'None' || asked === 'Object' ? asked : 'Metadata';
  for (const entry of request.accept.split(',')) {
    const [media = '', ...parameters] = entry.split(';').map((part) => part.trim());
    if (!['application/json', '*/*', 'application/*'].includes(media)) continue;
    const values = new Map(parameters.map((each) => each.split('=', 2) as [string, string]));
    const as = values.get('as');
    if (as === undefined) return PLAIN;
    const version = values.get('v') ?? '';
    if (values.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(version)) continue;
    if (as === 'Table') return { as, apiVersion: `meta.k8s.io/${version}`, include };
    if (as.startsWith('PartialObjectMetadata'))
      return { as: 'partial', apiVersion: `meta.k8s.io/${version}`, include };
  }
  return PLAIN;
}

/** Whether a client takes a thing as it is, and not only made into something else, such as a Table. */
export function takesObjects(accept: string): boolean {
  return accept.split(',').some((entry) => !/;\s*as=/.test(entry));
}

export function showObject(
  form: Form,
  type: ServedResource,
  shown: { object: KubeObject; nowMs: number; headers?: boolean },
): unknown {
  const { object, nowMs } = shown;
  if (form.as === 'object') return new JsonText(textOf(servedForm(type, object)));
  if (form.as === 'partial') return partial(object, form.apiVersion);
  const meta = { resourceVersion: object.metadata.resourceVersion };
  return toTable(type, [object], meta, { ...form, nowMs, headers: shown.headers ?? true });
}

export function showList(
  form: Form,
  type: ServedResource,
  shown: { list: ObjectList; nowMs: number },
): unknown {
  const { list, nowMs } = shown;
  if (form.as === 'Table') return toTable(type, list.items, list.metadata, { ...form, nowMs, headers: true });
  const { items: objects, ...head } = list;
  if (form.as === 'object') {
    return listText(
      head,
      objects.map((object) => servedForm(type, object)),
    );
  }
  const items = list.items.map((object) => partial(object, form.apiVersion));
  return { kind: 'PartialObjectMetadataList', apiVersion: form.apiVersion, metadata: list.metadata, items };
}
