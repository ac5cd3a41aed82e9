import type { User } from '../context.ts';
import { flag } from '../request.ts';
import type { Target } from '../target.ts';

/** What somebody wants to do, as Kubernetes' authorizers see a request. */
export interface AccessRequest {
  readonly user: User;
  readonly verb: string;
  readonly to: ResourceAccess | PathAccess;
}

export interface ResourceAccess {
  /** '' for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  /** Absent: the cluster scope, or all namespaces. */
  readonly namespace?: string | undefined;
  /** Absent: a collection. */
  readonly name?: string | undefined;
}

export interface PathAccess {
  readonly path: string;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: User;
}

const READS = ['GET', 'HEAD'];
const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

/** @param target what the path names; undefined (or without a plural) for discovery and other plain paths */
export function accessRequest(asked: Asked, target: Target | undefined): AccessRequest {
  const { user, method, path, query } = asked;
  if (!target || target.plural === '') return { user, verb: method.toLowerCase(), to: { path } };
  const name = target.name ?? selectedName(method, query);
  const isNamespace = target.plural === 'namespaces' && groupOf(target) === '';
  return {
    user,
    verb: verbOf(method, query, target.name),
    to: {
      group: groupOf(target),
      resource: target.plural,
      subresource: target.subresource,
      // A namespace counts as inside itself, so that a RoleBinding there can allow reading it.
      namespace: target.namespace ?? (isNamespace ? target.name : undefined),
      name,
    },
  };
}

function groupOf({ apiVersion }: Target): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function verbOf(method: string, query: URLSearchParams, name: string | undefined): string {
  if (READS.includes(method)) {
    if (flag(query, 'watch')) return 'watch';
    return name === undefined ? 'list' : 'get';
  }
  if (method === 'DELETE') return name === undefined ? 'deletecollection' : 'delete';
  return VERBS[method] ?? method.toLowerCase();
}

/** A list of the one object that a field selector names is as narrow as reading it. */
function selectedName(method: string, query: URLSearchParams): string | undefined {
  if (method === 'POST') return undefined;
  return /(?:^|,)metadata\.name==?([^,=]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1];
}
