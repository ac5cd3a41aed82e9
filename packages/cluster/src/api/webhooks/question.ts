import type { KubeObject } from '../../store/types.ts';
import type { User } from '../context.ts';
import type { ServedResource } from '../resources.ts';
import type { Operation } from './configuration.ts';

/** Of a subresource that is written as something else than the object it belongs to. */
export interface OwnKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** In the schema; absent for what is never stored and so never changed. */
  readonly definition?: string;
}

/** What somebody is about to do, for webhooks to judge. */
export interface Question {
  readonly operation: Operation;
  /** As it was asked for: one stored object may be served in several versions. */
  readonly type: ServedResource;
  readonly subresource?: string | undefined;
  readonly kind?: OwnKind;
  readonly namespace: string | undefined;
  /** '' while it is still to be made from a prefix. */
  readonly name: string;
  /** In the form in which it is stored, with its defaults; undefined for deletions. */
  readonly object: KubeObject | undefined;
  readonly before: KubeObject | undefined;
  readonly user: User;
  readonly dryRun: boolean;
  /** The CreateOptions and so on of the request; null for connections. */
  readonly options: Readonly<Record<string, unknown>> | null;
}

const own = (group: string, version: string, kind: string): OwnKind => ({
  group,
  version,
  kind,
  definition: `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`,
});

export const SCALE = own('autoscaling', 'v1', 'Scale');
export const EVICTION = own('policy', 'v1', 'Eviction');
export const BINDING = own('', 'v1', 'Binding');
export const TOKEN_REQUEST = own('authentication.k8s.io', 'v1', 'TokenRequest');
