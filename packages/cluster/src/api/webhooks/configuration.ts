import type { KubeObject, ResourceStore } from '../../store/types.ts';
import type { LabelSelectorObject } from '../selectors.ts';

export const MUTATING = 'mutatingwebhookconfigurations.admissionregistration.k8s.io';
export const VALIDATING = 'validatingwebhookconfigurations.admissionregistration.k8s.io';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface Rule {
  readonly operations: readonly (Operation | '*')[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced' | '*';
}

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
  readonly port: number;
}

export interface ClientConfig {
  readonly url?: string;
  readonly service?: ServiceReference;
  /** PEM in base64; without it the authorities that the machine trusts vouch. */
  readonly caBundle?: string;
}

/** A webhook as it is stored: valid and with its defaults. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig: ClientConfig;
  readonly rules?: readonly Rule[];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly matchPolicy: 'Equivalent' | 'Exact';
  readonly namespaceSelector: LabelSelectorObject;
  readonly objectSelector: LabelSelectorObject;
  readonly timeoutSeconds: number;
  readonly admissionReviewVersions: readonly string[];
  /** Of mutating ones only. */
  readonly reinvocationPolicy?: 'IfNeeded' | 'Never';
}

/** All webhooks there are, each kind in the order of the configurations' names. */
export interface Hooks {
  readonly mutating: readonly Webhook[];
  readonly validating: readonly Webhook[];
}

interface Known {
  readonly lists: readonly (readonly KubeObject[])[];
  readonly hooks: Hooks | undefined;
}

const known = new WeakMap<object, Known>();

/** Undefined when there is none, which costs two look-ups: the store gives the same list until something in it changes. */
export function hooksOf(store: Pick<ResourceStore, 'list'>): Hooks | undefined {
  const mutating = store.list(MUTATING);
  const validating = store.list(VALIDATING);
  if (mutating.length === 0 && validating.length === 0) return undefined;
  const before = known.get(store);
  if (isSame(before?.lists[0], mutating) && isSame(before?.lists[1], validating)) return before?.hooks;
  const hooks = { mutating: webhooksIn(mutating), validating: webhooksIn(validating) };
  const some = hooks.mutating.length + hooks.validating.length > 0 ? hooks : undefined;
  known.set(store, { lists: [mutating, validating], hooks: some });
  return some;
}

/** Of what there never was one the store has no list to give twice. */
const isSame = (a: readonly KubeObject[] | undefined, b: readonly KubeObject[]) =>
  a === b || (a?.length === 0 && b.length === 0);

const webhooksIn = (configurations: readonly KubeObject[]) =>
  configurations.flatMap((each) => (each['webhooks'] ?? []) as readonly Webhook[]);
