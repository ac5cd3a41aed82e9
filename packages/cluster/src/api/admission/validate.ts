import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import type { ServedResource } from '../resources.ts';
import { checkValue } from '../custom/check-value.ts';
import { DEFINITIONS } from '../custom/definition.ts';
import { validateDefinition, validateDefinitionChange } from '../custom/validate-definition.ts';
import { matchesSelector } from '../selectors.ts';
import { SIGNING_REQUESTS } from '../signing/request.ts';
import { validateSigningRequest } from '../signing/validate.ts';
import { invalid } from '../status.ts';
import { ACCOUNT_NAME, TOKEN_SECRET } from '../token-secrets.ts';
import { MUTATING, VALIDATING } from '../webhooks/configuration.ts';
import { validateConfiguration } from '../webhooks/validate-configuration.ts';
import { recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import { Problems } from './problems.ts';
import { validateAutoscaler } from './validate-autoscaler.ts';
import { validateCronJob, validateJob, validateJobChange } from './validate-batch.ts';
import { validateClaim, validateClaimChange } from './validate-claim.ts';
import { validateEndpointSlice, validateEndpoints } from './validate-endpoints.ts';
import { EPHEMERAL_FIELD } from './validate-ephemeral.ts';
import { validateLabels, validateMeta } from './validate-meta.ts';
import { validateIngress, validateNetworkPolicy, validateService } from './validate-network.ts';
import { validatePersistentVolume } from './validate-paths.ts';
import { validatePodSpec } from './validate-pod.ts';
import { validatePodChange } from './validate-pod-change.ts';
import { validateQuota, validateQuotaChange } from './validate-quota.ts';

type Rule = (object: KubeObject, problems: Problems) => void;
type UpdateRule = (object: KubeObject, before: KubeObject, problems: Problems) => void;

const IMMUTABLE = 'field is immutable';

/**
 * Checks an object that was defaulted; `before` is what is stored, undefined at creation. `changeRule` says what may be
 * changed where that is not what the object's own path allows.
 * @throws ApiFault 422 with everything that is wrong
 */
export function validate(
  type: ServedResource,
  object: KubeObject,
  before: KubeObject | undefined,
  changeRule = UPDATE_RULES[type.storedAs],
): void {
  const problems = new Problems();
  validateMeta(type, object, problems);
  RULES[type.storedAs]?.(object, problems);
  if (type.custom) checkValue(type.custom.schema, object, '', problems);
  if (before) {
    for (const key of ['uid', 'creationTimestamp'] as const) {
      if (object.metadata[key] && object.metadata[key] !== before.metadata[key]) {
        problems.invalid(`metadata.${key}`, object.metadata[key], IMMUTABLE);
      }
    }
    validateFinalizers(object, before, problems);
    changeRule?.(object, before, problems);
  } else if (type.storedAs === 'pods' && recordsAt(object.spec, EPHEMERAL_FIELD).length > 0) {
    problems.forbidden(`spec.${EPHEMERAL_FIELD}`, 'cannot be set on create');
  }
  if (problems.list.length > 0) throw invalid(type, object.metadata.name, problems.list);
}

/** Checks what of an object's metadata was changed by a path that leaves all but its status alone. @throws ApiFault 422 */
export function validateMetaChange(type: ServedResource, object: KubeObject, before: KubeObject): void {
  const problems = new Problems();
  validateMeta(type, object, problems);
  validateFinalizers(object, before, problems);
  if (problems.list.length > 0) throw invalid(type, object.metadata.name, problems.list);
}

function validateFinalizers(object: KubeObject, before: KubeObject, problems: Problems): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const former = before.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((name) => !former.includes(name));
  if (added.length === 0) return;
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  problems.forbidden('metadata.finalizers', why);
}

const RULES: Readonly<Record<string, Rule>> = {
  [SIGNING_REQUESTS]: validateSigningRequest,
  pods: (pod, problems) => validatePodSpec('spec', recordAt(pod, 'spec'), problems),
  'deployments.apps': (object, problems) => {
    validateWorkload(object, problems, ['Always']);
    const strategy = recordAt(object.spec, 'strategy');
    problems.oneOf('spec.strategy.type', strategy['type'], ['Recreate', 'RollingUpdate']);
    if (strategy['type'] === 'Recreate' && strategy['rollingUpdate'] !== undefined) {
      problems.forbidden(
        'spec.strategy.rollingUpdate',
        "may not be specified when strategy `type` is 'Recreate'",
      );
    }
  },
  'replicasets.apps': (object, problems) => validateWorkload(object, problems, ['Always']),
  'statefulsets.apps': (object, problems) => validateWorkload(object, problems, ['Always']),
  'daemonsets.apps': (object, problems) => validateWorkload(object, problems, ['Always']),
  'jobs.batch': (object, problems) => {
    validateWorkload(object, problems, ['OnFailure', 'Never']);
    validateJob(object, problems);
  },
  'cronjobs.batch': validateCronJob,
  services: validateService,
  secrets: validateSecret,
  configmaps: (object, problems) => validateKeys(object, ['data', 'binaryData'], problems),
  endpoints: validateEndpoints,
  'endpointslices.discovery.k8s.io': validateEndpointSlice,
  'ingresses.networking.k8s.io': validateIngress,
  'networkpolicies.networking.k8s.io': validateNetworkPolicy,
  'horizontalpodautoscalers.autoscaling': validateAutoscaler,
  [DEFINITIONS]: validateDefinition,
  [MUTATING]: validateConfiguration,
  [VALIDATING]: validateConfiguration,
  persistentvolumes: validatePersistentVolume,
  persistentvolumeclaims: validateClaim,
  resourcequotas: validateQuota,
};

const UPDATE_RULES: Readonly<Record<string, UpdateRule>> = {
  [DEFINITIONS]: validateDefinitionChange,
  'deployments.apps': selectorStays,
  'replicasets.apps': selectorStays,
  'statefulsets.apps': (object, before, problems) => {
    const MUTABLE = [
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'revisionHistoryLimit',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
    ];
    const fixed = (spec: Members | undefined) =>
      Object.fromEntries(Object.entries(spec ?? {}).filter(([key]) => !MUTABLE.includes(key)));
    if (isDeepStrictEqual(fixed(object.spec), fixed(before.spec))) return;
    problems.forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
  },
  'daemonsets.apps': selectorStays,
  'jobs.batch': validateJobChange,
  services: (object, before, problems) => {
    const former = textAt(before.spec, 'clusterIP');
    const sameKind =
      (textAt(object.spec, 'type') === 'ExternalName') === (textAt(before.spec, 'type') === 'ExternalName');
    if (former && sameKind && textAt(object.spec, 'clusterIP') !== former) {
      problems.invalid(
        'spec.clusterIPs[0]',
        [textAt(object.spec, 'clusterIP') ?? ''],
        'may not change once set',
      );
    }
  },
  secrets: (object, before, problems) => {
    stays(object, before, { problems, path: ['type'] });
    immutableData(object, before, problems);
  },
  configmaps: immutableData,
  'endpointslices.discovery.k8s.io': (object, before, problems) =>
    stays(object, before, { problems, path: ['addressType'] }),
  pods: validatePodChange,
  persistentvolumeclaims: validateClaimChange,
  resourcequotas: validateQuotaChange,
  'priorityclasses.scheduling.k8s.io': (object, before, problems) => {
    if (object['value'] !== before['value']) problems.forbidden('value', 'may not be changed in an update.');
    stays(object, before, { problems, path: ['preemptionPolicy'] });
  },
  'runtimeclasses.node.k8s.io': (object, before, problems) =>
    stays(object, before, { problems, path: ['handler'] }),
  'storageclasses.storage.k8s.io': (object, before, problems) => {
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'])
      if (!isDeepStrictEqual(object[field], before[field]))
        problems.forbidden(field, `updates to ${field} are forbidden.`);
    stays(object, before, { problems, path: ['volumeBindingMode'] });
  },
  'rolebindings.rbac.authorization.k8s.io': (object, before, problems) =>
    stays(object, before, { problems, path: ['roleRef'], why: 'cannot change roleRef' }),
  'clusterrolebindings.rbac.authorization.k8s.io': (object, before, problems) =>
    stays(object, before, { problems, path: ['roleRef'], why: 'cannot change roleRef' }),
};

function validateWorkload(object: KubeObject, problems: Problems, restartPolicies: readonly string[]): void {
  const { spec } = object;
  problems.notNegative('spec.replicas', spec?.['replicas']);
  const template = recordAt(spec, 'template');
  const labels = recordAt(recordAt(template, 'metadata'), 'labels') as Record<string, string>;
  const selector = recordAt(spec, 'selector');
  const empty = Object.keys(selector).length === 0;
  // A job's selector is made from its uid.
  const generated = object.kind === 'Job' && spec?.['manualSelector'] !== true;
  if (empty && !generated) problems.required('spec.selector');
  else if (!empty && !matchesSelector(selector, labels)) {
    problems.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  }
  validateLabels('spec.template.labels', labels, problems);
  const pod = recordAt(template, 'spec');
  const claims = recordsAt(spec, 'volumeClaimTemplates');
  const claimed = claims.map((claim) => textAt(recordAt(claim, 'metadata'), 'name') ?? '');
  validatePodSpec('spec.template.spec', pod, problems, claimed);
  const policy = pod['restartPolicy'];
  if (typeof policy === 'string' && !restartPolicies.includes(policy)) {
    problems.notSupported('spec.template.spec.restartPolicy', policy, restartPolicies);
  }
}

function selectorStays(object: KubeObject, before: KubeObject, problems: Problems): void {
  stays(object, before, { problems, path: ['spec', 'selector'] });
}

interface Fixed {
  readonly problems: Problems;
  readonly path: readonly string[];
  readonly why?: string;
}

function stays(object: KubeObject, before: KubeObject, fixed: Fixed): void {
  const read = (value: unknown) =>
    fixed.path.reduce<unknown>((at, key) => (at as Members | undefined)?.[key], value);
  const value = read(object);
  if (isDeepStrictEqual(value, read(before))) return;
  fixed.problems.invalid(fixed.path.join('.'), value, fixed.why ?? IMMUTABLE);
}

function immutableData(object: KubeObject, before: KubeObject, problems: Problems): void {
  if (before['immutable'] !== true) return;
  const why = 'field is immutable when `immutable` is set';
  if (object['immutable'] !== true) problems.forbidden('immutable', why);
  for (const field of ['data', 'binaryData'])
    if (!isDeepStrictEqual(object[field], before[field])) problems.forbidden(field, why);
}

const KEY_FORM = /^[-._a-zA-Z0-9]+$/;
const LONGEST_KEY = 253;

function validateKeys(object: KubeObject, fields: readonly string[], problems: Problems): void {
  validateSize(object, fields, problems);
  for (const field of fields) {
    for (const key of Object.keys(recordAt(object, field))) {
      if (!KEY_FORM.test(key)) {
        problems.invalid(
          `${field}[${key}]`,
          key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        );
      } else if (key === '.' || key.startsWith('..')) {
        const why = key === '.' || key === '..' ? `must not be '${key}'` : "must not start with '..'";
        problems.invalid(`${field}[${key}]`, key, why);
      } else if (key.length > LONGEST_KEY) {
        problems.invalid(`${field}[${key}]`, key, `must be no more than ${LONGEST_KEY} characters`);
      }
    }
  }
}

const MAX_CONTENT_BYTES = 1024 * 1024;

/** ConfigMaps and Secrets are for small things: pods get them in memory. */
function validateSize(object: KubeObject, fields: readonly string[], problems: Problems): void {
  const bytes = fields
    .flatMap((field) => Object.values(recordAt(object, field)))
    .reduce<number>((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : 0), 0);
  if (bytes > MAX_CONTENT_BYTES) problems.tooLong(fields[0] ?? '', MAX_CONTENT_BYTES);
}

const NEEDED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

function validateSecret(secret: KubeObject, problems: Problems): void {
  if (secret['type'] === TOKEN_SECRET && !secret.metadata.annotations?.[ACCOUNT_NAME])
    problems.required(`metadata.annotations[${ACCOUNT_NAME}]`);
  validateKeys(secret, ['data'], problems);
  const data = recordAt(secret, 'data');
  for (const key of NEEDED_KEYS[textAt(secret, 'type') ?? ''] ?? []) {
    if (data[key] === undefined) problems.required(`data[${key}]`);
    else if (key.startsWith('.docker') && !isJson(data[key])) {
      problems.invalid(`data[${key}]`, '<secret contents redacted>', 'invalid character in JSON');
    }
  }
}

function isJson(base64: unknown): boolean {
  try {
    JSON.parse(Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64').toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
