import type { Variable } from '@updraft/gitlab-ci';

/** Where the platform's parts are, as a job reaches them. */
export interface PlatformAddresses {
  /** `host:port` of the registry. */
  readonly registry: string;
  readonly registryUser: string;
  readonly registryPassword: string;
  readonly deployUser: string;
  readonly deployPassword: string;
  /** Environments appear under it; with `:port` when the ingress is not on port 80. */
  readonly kubeDomain: string;
  /** `host:port` of the cluster's API server. */
  readonly clusterDomain: string;
  readonly certificateAuthorityData: string;
  readonly clientCertificateData: string;
  readonly clientKeyData: string;
}

/**
 * What in GitLab the project's settings hold: the registry's and the cluster's addresses and credentials. Pointing
 * these at a real cluster is all it takes to leave this machine.
 */
export function platformVariables(addresses: PlatformAddresses, projectPath: string): readonly Variable[] {
  const open: Record<string, string> = {
    CI_REGISTRY: addresses.registry,
    CI_REGISTRY_IMAGE: `${addresses.registry}/${projectPath.toLowerCase()}`,
    CI_REGISTRY_USER: addresses.registryUser,
    CI_DEPLOY_USER: addresses.deployUser,
    KUBE_DOMAIN: addresses.kubeDomain,
    CLUSTER_DOMAIN: addresses.clusterDomain,
    CERTIFICATE_AUTHORITY_DATA: addresses.certificateAuthorityData,
    CLIENT_CERTIFICATE_DATA: addresses.clientCertificateData,
  };
  const secret: Record<string, string> = {
    CI_REGISTRY_PASSWORD: addresses.registryPassword,
    CI_DEPLOY_PASSWORD: addresses.deployPassword,
    CLIENT_KEY_DATA: addresses.clientKeyData,
  };
  return [
    ...Object.entries(open).map(([key, value]): Variable => ({ key, value, raw: true, source: 'project' })),
    ...Object.entries(secret).map(([key, value]): Variable => ({
      key,
      value,
      raw: true,
      masked: true,
      source: 'project',
    })),
  ];
}
