import type { KubeObject } from '../../store/types.ts';
import type { ServedResource } from '../resources.ts';
import { validate, validateMetaChange } from './validate.ts';

type Field = 'labels' | 'annotations' | 'finalizers';

const FIELDS: readonly Field[] = ['labels', 'annotations', 'finalizers'];

/**
 * What of the metadata may be written by the path of the status too: all of it, but of kinds where selectors of others
 * look at the labels, or whose status was made a thing of its own from the beginning.
 */
const WRITABLE: Readonly<Record<string, readonly Field[]>> = {
  'deployments.apps': ['annotations', 'finalizers'],
  'customresourcedefinitions.apiextensions.k8s.io': [],
  'flowschemas.flowcontrol.apiserver.k8s.io': [],
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': [],
  'servicecidrs.networking.k8s.io': [],
  'validatingadmissionpolicies.admissionregistration.k8s.io': [],
  'volumeattachments.storage.k8s.io': [],
};

/**
 * What comes by the path of the status: the status, and labels, annotations and finalizers where they may come with it.
 * @throws ApiFault 422
 */
export function admitStatus(type: ServedResource, object: KubeObject, before: KubeObject): KubeObject {
  const metadata = structuredClone(before.metadata);
  metadata.resourceVersion = object.metadata.resourceVersion;
  if (!type.custom) takeFields(metadata, object.metadata, WRITABLE[type.storedAs] ?? FIELDS);
  const next: KubeObject = { ...structuredClone(before), metadata };
  if (object.status === undefined) delete next.status;
  else next.status = object.status;
  if (type.custom) validate(type, next, before);
  else validateMetaChange(type, next, before);
  return next;
}

function takeFields(
  target: KubeObject['metadata'],
  source: KubeObject['metadata'],
  fields: readonly Field[],
): void {
  for (const field of fields) {
    if (source[field] === undefined) delete target[field];
    else Object.assign(target, { [field]: structuredClone(source[field]) });
  }
}
