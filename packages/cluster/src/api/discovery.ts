import { createHash } from 'node:crypto';
import type { Catalog } from './catalog.ts';
import { compareVersions } from './custom/versions.ts';
import { METRICS } from './metrics.ts';
import { apiVersionOf } from './resources.ts';
import type { ServedResource } from './resources.ts';
import { APPROVAL } from './signing/request.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

interface ResourceEntry {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

interface Virtual {
  readonly apiVersion: string;
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Of the kind, where it is not that of the path. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

const CREATE = ['create'];
const STREAM = ['create', 'get'];
const PROXIED = ['create', 'delete', 'get', 'patch', 'update'];

/** What can be called though nothing of it is kept: subresources of pods and the questions about access. */
const VIRTUAL: readonly Virtual[] = [
  { apiVersion: 'v1', name: 'bindings', kind: 'Binding', namespaced: true, verbs: CREATE },
  { apiVersion: 'v1', name: 'namespaces/finalize', kind: 'Namespace', namespaced: false, verbs: ['update'] },
  { apiVersion: 'v1', name: 'pods/attach', kind: 'PodAttachOptions', namespaced: true, verbs: STREAM },
  { apiVersion: 'v1', name: 'pods/binding', kind: 'Binding', namespaced: true, verbs: CREATE },
  {
    apiVersion: 'v1',
    name: 'pods/eviction',
    kind: 'Eviction',
    namespaced: true,
    group: 'policy',
    version: 'v1',
    verbs: CREATE,
  },
  {
    apiVersion: 'v1',
    name: 'pods/ephemeralcontainers',
    kind: 'Pod',
    namespaced: true,
    verbs: ['get', 'patch', 'update'],
  },
  { apiVersion: 'v1', name: 'pods/exec', kind: 'PodExecOptions', namespaced: true, verbs: STREAM },
  { apiVersion: 'v1', name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] },
  {
    apiVersion: 'v1',
    name: 'pods/portforward',
    kind: 'PodPortForwardOptions',
    namespaced: true,
    verbs: STREAM,
  },
  { apiVersion: 'v1', name: 'pods/proxy', kind: 'PodProxyOptions', namespaced: true, verbs: PROXIED },
  { apiVersion: 'v1', name: 'services/proxy', kind: 'ServiceProxyOptions', namespaced: true, verbs: PROXIED },
  {
    apiVersion: 'v1',
    name: 'serviceaccounts/token',
    kind: 'TokenRequest',
    namespaced: true,
    group: 'authentication.k8s.io',
    version: 'v1',
    verbs: CREATE,
  },
  {
    apiVersion: 'certificates.k8s.io/v1',
    name: `certificatesigningrequests/${APPROVAL}`,
    kind: 'CertificateSigningRequest',
    namespaced: false,
    verbs: ['get', 'patch', 'update'],
  },
  {
    apiVersion: 'authentication.k8s.io/v1',
    name: 'selfsubjectreviews',
    kind: 'SelfSubjectReview',
    namespaced: false,
    verbs: CREATE,
  },
  {
    apiVersion: 'authentication.k8s.io/v1',
    name: 'tokenreviews',
    kind: 'TokenReview',
    namespaced: false,
    verbs: CREATE,
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    name: 'localsubjectaccessreviews',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
    verbs: CREATE,
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    name: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    namespaced: false,
    verbs: CREATE,
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    name: 'selfsubjectrulesreviews',
    kind: 'SelfSubjectRulesReview',
    namespaced: false,
    verbs: CREATE,
  },
  {
    apiVersion: 'authorization.k8s.io/v1',
    name: 'subjectaccessreviews',
    kind: 'SubjectAccessReview',
    namespaced: false,
    verbs: CREATE,
  },
  {
    apiVersion: METRICS,
    name: 'nodes',
    kind: 'NodeMetrics',
    namespaced: false,
    verbs: ['get', 'list'],
  },
  { apiVersion: METRICS, name: 'pods', kind: 'PodMetrics', namespaced: true, verbs: ['get', 'list'] },
];

/** Every group-version, the core one first, in the order discovery shows them. */
function groupVersions(catalog: Catalog): string[] {
  return [...new Set([...catalog.all.map(apiVersionOf), ...VIRTUAL.map((entry) => entry.apiVersion)])];
}

function entriesOf(catalog: Catalog, apiVersion: string): ResourceEntry[] {
  const kept = catalog.all
    .filter((type) => apiVersionOf(type) === apiVersion)
    .flatMap((type) => entries(catalog, type));
  const virtual = VIRTUAL.filter((entry) => entry.apiVersion === apiVersion).map(virtualEntry);
  return [...kept, ...virtual].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function virtualEntry({ apiVersion: _apiVersion, name, ...entry }: Virtual): ResourceEntry {
  return { name, singularName: name.includes('/') ? '' : entry.kind.toLowerCase(), ...entry };
}

function entries(catalog: Catalog, type: ServedResource): ResourceEntry[] {
  const { plural, singular, kind, namespaced, shortNames, categories } = type;
  const main: ResourceEntry = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: type.storedAs === 'namespaces' ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    storageVersionHash: storageHash(catalog, type),
  };
  const verbs = ['get', 'patch', 'update'];
  const subresources = type.subresources.map((name): ResourceEntry => {
    const entry = { name: `${plural}/${name}`, singularName: '', namespaced, verbs };
    return name === 'scale'
      ? { ...entry, group: 'autoscaling', version: 'v1', kind: 'Scale' }
      : { ...entry, kind };
  });
  return [main, ...subresources];
}

/** By this clients see whether what they know of a kind's stored form still holds: the first 8 bytes are enough. */
function storageHash(catalog: Catalog, type: ServedResource): string {
  const stored = catalog.byStorage(type.storedAs) ?? type;
  const apiVersion = type.custom?.storedApiVersion ?? `${stored.group}/${stored.version}`;
  const digest = createHash('sha256').update(`${apiVersion}/${stored.kind}`).digest();
  return digest.subarray(0, 8).toString('base64');
}

/** `/api` */
export function coreVersions(serverAddress: string): unknown {
  const addresses = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: addresses };
}

/** `/apis` */
export function groupList(catalog: Catalog): unknown {
  const versions = groupVersions(catalog);
  const names = [...new Set(versions.filter((version) => version !== 'v1').map(groupName))];
  const groups = names.map((name) => groupOf(versions, name));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

const groupName = (groupVersion: string) => groupVersion.split('/')[0] ?? '';

/** `/apis/GROUP` */
export function group(catalog: Catalog, name: string): unknown {
  const versions = groupVersions(catalog);
  const served = versions.some((version) => version.startsWith(`${name}/`));
  return served ? { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(versions, name) } : undefined;
}

function groupOf(groupVersionNames: readonly string[], name: string) {
  const versions = groupVersionNames
    .filter((groupVersion) => groupVersion.startsWith(`${name}/`))
    .map((groupVersion) => ({ groupVersion, version: groupVersion.slice(name.length + 1) }))
    .toSorted((a, b) => compareVersions(a.version, b.version));
  return { name, versions, preferredVersion: versions[0] };
}

/** `/api/v1`, `/apis/GROUP/VERSION`; undefined: not served. */
export function resourceList(catalog: Catalog, groupVersion: string): unknown {
  const resources = entriesOf(catalog, groupVersion);
  if (resources.length === 0) return undefined;
  const apiVersion = groupVersion === 'v1' ? {} : { apiVersion: 'v1' };
  return { kind: 'APIResourceList', ...apiVersion, groupVersion, resources };
}

/** The aggregated form of `/api` and `/apis`: all of it in one answer. */
export function aggregated(catalog: Catalog, version: 'v2' | 'v2beta1', core: boolean): unknown {
  const versions = groupVersions(catalog);
  const names = core ? [''] : [...new Set(versions.filter((each) => each !== 'v1').map(groupName))];
  const items = names.map((name) => {
    const inGroup = core ? [{ version: 'v1', groupVersion: 'v1' }] : groupOf(versions, name).versions;
    const served = inGroup.map((each) => ({
      version: each.version,
      resources: aggregatedResources(catalog, each.groupVersion),
      freshness: 'Current',
    }));
    return { metadata: { ...(core ? {} : { name }), creationTimestamp: null }, versions: served };
  });
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

function aggregatedResources(catalog: Catalog, groupVersion: string): unknown[] {
  const [first = '', second] = groupVersion.split('/');
  const home = second === undefined ? { group: '', version: first } : { group: first, version: second };
  const all = entriesOf(catalog, groupVersion);
  const kindOf = (entry: ResourceEntry) => ({
    group: entry.group ?? home.group,
    version: entry.version ?? home.version,
    kind: entry.kind,
  });
  return all
    .filter((entry) => !entry.name.includes('/'))
    .map((entry) => {
      const subresources = all
        .filter((other) => other.name.startsWith(`${entry.name}/`))
        .map((other) => ({
          subresource: other.name.slice(entry.name.length + 1),
          responseKind: kindOf(other),
          verbs: other.verbs,
        }));
      return {
        resource: entry.name,
        responseKind: kindOf(entry),
        scope: entry.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: entry.singularName,
        verbs: entry.verbs,
        ...(entry.shortNames ? { shortNames: entry.shortNames } : {}),
        ...(entry.categories ? { categories: entry.categories } : {}),
        ...(subresources.length > 0 ? { subresources } : {}),
      };
    });
}
