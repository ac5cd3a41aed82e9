/** Kaniko's command line (executor 1.24 and its living fork), as data: a flag, and what is done about it here. */
type Kind =
  /** `--flag` or `--flag=true|false`. */
  'switch' | 'value' | 'repeated';

interface FlagSpec {
  readonly kind: Kind;
  readonly short?: string;
  /** Accepted without effect: what it asks for is always or never so here. Said in the log when it was given. */
  readonly noEffect?: string;
}

const none = (kind: Kind, why: string): FlagSpec => ({ kind, noEffect: why });

const STORE = 'every build shares the platform’s cache';
const LAYERS = 'a layer is what a step wrote, never a comparison of file systems';

export const FLAGS: Readonly<Record<string, FlagSpec>> = {
  context: { kind: 'value', short: 'c' },
  'context-sub-path': { kind: 'value' },
  dockerfile: { kind: 'value', short: 'f' },
  destination: { kind: 'repeated', short: 'd' },
  'build-arg': { kind: 'repeated' },
  target: { kind: 'value' },
  label: { kind: 'repeated' },
  cache: { kind: 'switch' },
  'no-push': { kind: 'switch' },
  'digest-file': { kind: 'value' },
  'image-name-with-digest-file': { kind: 'value' },
  'image-name-tag-with-digest-file': { kind: 'value' },
  'oci-layout-path': { kind: 'value' },
  insecure: { kind: 'switch' },
  'skip-tls-verify': { kind: 'switch' },
  'insecure-registry': { kind: 'repeated' },
  'skip-tls-verify-registry': { kind: 'repeated' },
  'registry-certificate': { kind: 'repeated' },
  'cache-ttl': { kind: 'value' },
  'single-snapshot': { kind: 'switch' },
  compression: { kind: 'value' },
  'compression-level': { kind: 'value' },
  'registry-mirror': { kind: 'repeated' },
  'registry-map': { kind: 'repeated' },
  'skip-default-registry-fallback': { kind: 'switch' },
  'insecure-pull': { kind: 'switch' },
  'skip-tls-verify-pull': { kind: 'switch' },
  secret: { kind: 'repeated' },
  'build-context': { kind: 'repeated' },
  annotation: { kind: 'repeated' },
  git: { kind: 'repeated' },
  help: { kind: 'switch', short: 'h' },
  version: { kind: 'switch' },
  'cache-repo': none('value', STORE),
  'cache-dir': none('value', STORE),
  'cache-copy-layers': none('switch', STORE),
  'cache-run-layers': none('switch', STORE),
  'compressed-caching': none('switch', STORE),
  'snapshot-mode': none('value', LAYERS),
  snapshotMode: none('value', LAYERS),
  'use-new-run': none('switch', LAYERS),
  reproducible: none('switch', 'every build is reproducible'),
  'skip-unused-stages': none('switch', 'only the stages that the target needs are built'),
  cleanup: none('switch', 'nothing is left to clean up'),
  force: none('switch', 'nothing outside the build can be harmed'),
  verbosity: { kind: 'value', short: 'v', noEffect: 'the log has one level' },
  'log-format': none('value', 'the log has one format'),
  'log-timestamp': none('switch', 'the log has one format'),
  'push-retry': none('value', 'pushes are retried'),
  'image-fs-extract-retry': none('value', 'nothing is extracted'),
  'ignore-var-run': none('switch', LAYERS),
  'tar-path': { kind: 'value' },
  tarPath: { kind: 'value' },
  'skip-push-permission-check': none('switch', 'the permission is always checked first'),
  'no-push-cache': none('switch', STORE),
  'image-download-retry': none('value', 'downloads are retried'),
  'preserve-context': none('switch', 'no stage can change the context'),
  materialize: none('switch', 'nothing is unpacked in the job'),
  'credential-helpers': none('repeated', 'credentials come from config.json and from variables'),
  'force-build-metadata': none('switch', 'it is always written'),
  'ignore-path': none('repeated', LAYERS),
  'kaniko-dir': none('value', 'nothing is unpacked in the job'),
  'custom-platform': { kind: 'value' },
  customPlatform: { kind: 'value' },
};

/** Known to kaniko, not built here: an error that says why, never a silent pass. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  bucket: 'contexts in buckets are not fetched; use a folder, an archive or Git',
  'registry-client-cert': 'registries are told apart by passwords and tokens',
  'push-ignore-immutable-tag-errors': 'a tag that cannot be moved is an error',
  'azure-container-registry-config': 'credentials come from config.json and from variables',
};
