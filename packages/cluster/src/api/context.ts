import type { Clock, Logger } from '@updraft/kit';
import type { KubeObject, ResourceStore } from '../store/types.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import type { KubeletPort } from './ports.ts';
import type { TokenIssuer } from './tokens.ts';
import type { Webhooks } from './webhooks/gate.ts';
import type { RequestGate } from './webhooks/request-gate.ts';

/** What every handler works with. */
export interface ApiContext {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kubelet: KubeletPort;
  readonly tokens: TokenIssuer;
  readonly authorizer: Authorizer;
  readonly webhooks: Webhooks;
  /** Of requests that write, while there are webhooks. */
  readonly gate?: RequestGate;
  /** CIDR of Service addresses. */
  readonly serviceCidr: string;
  /** Of the product, shown in `/version`. */
  readonly version: string;
}

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

/** Who wrote, for managedFields. */
export interface Writer {
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  readonly force: boolean;
  /** Paths of members that the body gives more than once. */
  readonly duplicates: readonly string[];
}

/** What a handler answers; the server writes it. */
export interface Answer {
  readonly code: number;
  readonly body: unknown;
  /** Texts of Warning headers. */
  readonly warnings?: readonly string[];
}

/** An answer that is one object (or list), which the client may want as a Table. */
export interface ObjectAnswer {
  readonly code: number;
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}
