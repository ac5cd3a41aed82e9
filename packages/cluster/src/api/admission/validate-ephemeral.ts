import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import { recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';

/** The path of its own by which they are added to a pod, and their field in its specification. */
export const EPHEMERAL = 'ephemeralcontainers';
export const EPHEMERAL_FIELD = 'ephemeralContainers';

const ALLOWED = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'envFrom',
  'env',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
]);

const NOT_FOR_THEM = 'cannot be set for an Ephemeral Container';

/**
 * What holds for an ephemeral container beyond what holds for any: nothing may depend on it.
 * @param seen `others` are the names of the pod's other containers
 */
export function validateEphemeral(
  path: string,
  container: Members,
  { problems, others }: { readonly problems: Problems; readonly others: ReadonlySet<string> },
): void {
  const target = textAt(container, 'targetContainerName');
  if (target && !others.has(target)) problems.notFound(`${path}.targetContainerName`, target);
  for (const [field, value] of Object.entries(container)) {
    if (!ALLOWED.has(field) && !isEmpty(value)) problems.forbidden(`${path}.${field}`, NOT_FOR_THEM);
  }
  for (const [index, mount] of recordsAt(container, 'volumeMounts').entries()) {
    for (const key of ['subPath', 'subPathExpr'])
      if (mount[key]) problems.forbidden(`${path}.volumeMounts[${index}].${key}`, NOT_FOR_THEM);
  }
}

const isEmpty = (value: unknown) =>
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** They can be added, and stay as they are. */
export function validateEphemeralChange(object: KubeObject, before: KubeObject, problems: Problems): void {
  const field = `spec.${EPHEMERAL_FIELD}`;
  const now = new Map(recordsAt(object.spec, EPHEMERAL_FIELD).map((each) => [each['name'], each]));
  for (const former of recordsAt(before.spec, EPHEMERAL_FIELD)) {
    const name = JSON.stringify(former['name']);
    const same = now.get(former['name']);
    if (!same) problems.forbidden(field, `existing ephemeral containers ${name} may not be removed\n`);
    else if (!isDeepStrictEqual(same, former))
      problems.forbidden(field, `existing ephemeral containers ${name} may not be changed\n`);
  }
}
