import type { KubeObject } from '../../store/types.ts';
import type { ServedResource } from '../resources.ts';
import {
  isLabel,
  isLabel1035,
  isLabelValue,
  isPathSegment,
  isQualifiedName,
  isSubdomain,
} from './problems.ts';
import type { NameRule, Problems } from './problems.ts';

const MAX_ANNOTATION_BYTES = 256 * 1024;

const NAME_RULES: Readonly<Record<string, NameRule>> = {
  namespaces: isLabel,
  services: isLabel1035,
  'roles.rbac.authorization.k8s.io': isPathSegment,
  'rolebindings.rbac.authorization.k8s.io': isPathSegment,
  'clusterroles.rbac.authorization.k8s.io': isPathSegment,
  'clusterrolebindings.rbac.authorization.k8s.io': isPathSegment,
};

export function validateMeta(type: ServedResource, object: KubeObject, problems: Problems): void {
  const { name, labels, annotations, finalizers, ownerReferences } = object.metadata;
  if (!name) problems.required('metadata.name', 'name or generateName is required');
  else {
    const why = (NAME_RULES[type.storedAs] ?? isSubdomain)(name);
    if (why) problems.invalid('metadata.name', name, why);
  }
  validateLabels('metadata.labels', labels, problems);
  validateAnnotations(annotations ?? {}, problems);
  for (const [index, finalizer] of (finalizers ?? []).entries()) {
    const why = isQualifiedName(finalizer);
    if (why) problems.invalid(`metadata.finalizers[${index}]`, finalizer, why);
  }
  for (const [index, owner] of (ownerReferences ?? []).entries()) {
    for (const key of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[key]) problems.invalid(`metadata.ownerReferences[${index}].${key}`, '', 'must not be empty');
    }
  }
}

export function validateLabels(
  field: string,
  labels: Readonly<Record<string, string>> = {},
  problems: Problems,
): void {
  for (const [key, value] of Object.entries(labels)) {
    const badKey = isQualifiedName(key);
    if (badKey) problems.invalid(field, key, badKey);
    const badValue = isLabelValue(value);
    if (badValue) problems.invalid(field, value, badValue);
  }
}

function validateAnnotations(annotations: Readonly<Record<string, string>>, problems: Problems): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    const bad = isQualifiedName(key.toLowerCase());
    if (bad) problems.invalid('metadata.annotations', key, bad);
  }
  if (bytes <= MAX_ANNOTATION_BYTES) return;
  const message = `Too long: may not be more than ${MAX_ANNOTATION_BYTES} bytes`;
  problems.list.push({ reason: 'FieldValueTooLong', field: 'metadata.annotations', message });
}
