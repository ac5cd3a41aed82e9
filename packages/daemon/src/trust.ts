import { existsSync, readdirSync } from 'node:fs';
import type { ContainerSpec, Pod, Runtime } from '@updraft/pods';

const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const OWN_AUTHORITIES = '/usr/local/share/ca-certificates';

/**
 * The certificates that this machine trusts beyond the public ones: on networks that read TLS on the way out, nothing
 * can be fetched without them. undefined: none were added, so containers need none.
 */
export function hostTrust(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = env['SSL_CERT_FILE'] ?? env['NODE_EXTRA_CA_CERTS'];
  if (named !== undefined && existsSync(named)) return named;
  const hasOwn =
    existsSync(OWN_AUTHORITIES) && readdirSync(OWN_AUTHORITIES).some((name) => name.endsWith('.crt'));
  return hasOwn && existsSync(SYSTEM_BUNDLE) ? SYSTEM_BUNDLE : undefined;
}

const INSIDE = '/run/host-trust/ca-certificates.crt';

/** Where programs look for a bundle: OpenSSL and Go, Node, curl, git, Python's requests and pip. */
const VARIABLES = [
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
];

/**
 * The same runtime; its containers trust what the host trusts. A mount and variables only: nothing of it gets into an
 * image, a layer or a cache key. What a job sets itself stays.
 */
export function trusting(runtime: Runtime, bundle: string | undefined): Runtime {
  if (bundle === undefined) return runtime;
  const variables = Object.fromEntries(VARIABLES.map((name) => [name, INSIDE]));
  const extend = (spec: ContainerSpec): ContainerSpec => ({
    ...spec,
    env: { ...variables, ...spec.env },
    mounts: [...(spec.mounts ?? []), { kind: 'bind', source: bundle, target: INSIDE, readOnly: true }],
  });
  return {
    kind: runtime.kind,
    createPod: async (spec) => trustingPod(await runtime.createPod(spec), extend),
    list: () => runtime.list(),
    sweep: (options) => runtime.sweep(options),
    adopt: (name) => runtime.adopt(name),
  };
}

const trustingPod = (pod: Pod, extend: (spec: ContainerSpec) => ContainerSpec): Pod => ({
  name: pod.name,
  address: pod.address,
  labels: pod.labels,
  start: (spec, streams) => pod.start(extend(spec), streams),
  remove: () => pod.remove(),
});
