import type { Variable } from '@updraft/gitlab-ci';
import { PodsFault } from '@updraft/pods';
import type { ClusterAccess, ClusterIdentity } from '@updraft/pods';

/** What playbooks know a cluster by, as a project's settings hold it in GitLab. */
export const CLUSTER_VARIABLES = [
  'CLUSTER_DOMAIN',
  'CERTIFICATE_AUTHORITY_DATA',
  'CLIENT_CERTIFICATE_DATA',
  'CLIENT_KEY_DATA',
  'CLUSTER_TOKEN',
] as const;

/** Asked for anew for each job; never kept with a run. */
export const SECRET_VARIABLES: ReadonlySet<string> = new Set(['CLIENT_KEY_DATA', 'CLUSTER_TOKEN']);

/**
 * A cluster's address and credentials as the playbooks read them.
 * @throws PodsFault KUBECONFIG_UNSUPPORTED for what these variables cannot say
 */
export function playbookVariables(access: ClusterAccess, identity: ClusterIdentity): readonly Variable[] {
  const values: Partial<Record<(typeof CLUSTER_VARIABLES)[number], string>> = {
    CLUSTER_DOMAIN: clusterDomain(access),
    CERTIFICATE_AUTHORITY_DATA: base64(authorityOf(access)),
    ...(identity.certificate === undefined ? {} : { CLIENT_CERTIFICATE_DATA: base64(identity.certificate) }),
    ...(identity.key === undefined ? {} : { CLIENT_KEY_DATA: base64(identity.key) }),
    ...(identity.token === undefined ? {} : { CLUSTER_TOKEN: identity.token }),
  };
  return Object.entries(values).map(([key, value]): Variable => ({
    key,
    value,
    raw: true,
    source: 'project',
    ...(SECRET_VARIABLES.has(key) ? { masked: true } : {}),
  }));
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** `host:port`, always with the port: playbooks take 6443 for none. @throws PodsFault KUBECONFIG_UNSUPPORTED */
export function clusterDomain({ name, server, tlsServerName }: ClusterAccess): string {
  if (server.pathname !== '/' || server.search !== '') {
    throw unsupported(
      `the server of ${name} is a path on a host (${server.href})`,
      'Playbooks know an API server by host and port alone: use one that answers directly.',
    );
  }
  if (tlsServerName !== undefined && tlsServerName !== server.hostname) {
    throw unsupported(
      `the certificate of ${name} is for another name (tls-server-name: ${tlsServerName})`,
      'Playbooks compare the certificate with CLUSTER_DOMAIN: use an address that the certificate names.',
    );
  }
  return `${server.hostname}:${server.port || '443'}`;
}

function authorityOf({ name, authority }: ClusterAccess): string {
  if (authority !== undefined) return authority;
  throw unsupported(
    `${name} names no certificate authority`,
    'Playbooks verify the API server by it: add certificate-authority-data to the cluster in the kubeconfig.',
  );
}

const unsupported = (message: string, next: string): PodsFault =>
  new PodsFault('KUBECONFIG_UNSUPPORTED', message, { next });
