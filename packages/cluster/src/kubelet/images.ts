import { Fault, codeOf, messageOf } from '@updraft/kit';
import { parseReference } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import type { Container, Pod } from '../kinds/pod.ts';
import { roleOf } from './container-role.ts';
import { NotYet } from './services.ts';
import type { KubeletServices } from './services.ts';

type Credentials = Readonly<Record<string, { username: string; password: string }>>;

/**
 * The image of a container, with the events Kubernetes shows for it.
 * @throws NotYet InvalidImageName, ErrImageNeverPull, ErrImagePull
 */
export async function provideImage(
  services: KubeletServices,
  pod: Pod,
  container: Container,
  signal: AbortSignal,
): Promise<Image> {
  const name = container.image ?? '';
  const policy = container.imagePullPolicy ?? 'IfNotPresent';
  const { normal } = about(services, pod, container);
  requireValidName(name);
  const present = await services.store.get(name);
  if (present && policy !== 'Always') {
    normal('Pulled', `Container image "${name}" already present on machine`);
    return present;
  }
  if (policy === 'Never') {
    throw new NotYet(
      'ErrImageNeverPull',
      `Container image "${name}" is not present with pull policy of Never`,
    );
  }
  normal('Pulling', `Pulling image "${name}"`);
  const startedMs = services.clock.elapsed();
  const image = await pull(services, { name, policy, credentials: credentialsOf(services, pod), signal });
  const took = durationText(services.clock.elapsed() - startedMs);
  const size = image.layers.reduce((total, layer) => total + layer.size, 0);
  normal(
    'Pulled',
    `Successfully pulled image "${name}" in ${took} (${took} including waiting). Image size: ${size} bytes.`,
  );
  return image;
}

/** As Go writes durations: `87ms`, `1.234s`, `1m2.5s`. */
function durationText(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  return minutes === 0 ? seconds : `${minutes}m${seconds}`;
}

function requireValidName(name: string): void {
  try {
    parseReference(name);
  } catch (error) {
    const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": ${messageOf(error)}`;
    throw new NotYet('InvalidImageName', message);
  }
}

async function pull(
  services: KubeletServices,
  request: { name: string; policy: 'Always' | 'IfNotPresent'; credentials: Credentials; signal: AbortSignal },
): Promise<Image> {
  const { name, ...options } = request;
  try {
    return await services.images.provide(name, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof Fault)) throw error;
    throw new NotYet('ErrImagePull', `${messageOf(error)} (${codeOf(error) ?? 'unknown'})`);
  }
}

const LISTS = {
  app: 'containers',
  init: 'initContainers',
  sidecar: 'initContainers',
  ephemeral: 'ephemeralContainers',
} as const;

/** An event about one container of a pod. */
export function about({ events }: KubeletServices, pod: Pod, container: Container) {
  const fieldPath = `spec.${LISTS[roleOf(pod, container)]}{${container.name}}`;
  return {
    normal: (reason: string, message: string) => events.normal(pod, reason, message, fieldPath),
    warning: (reason: string, message: string) => events.warning(pod, reason, message, fieldPath),
  };
}

/** The registries' credentials of the pod's and its account's pull secrets. Broken secrets count as none. */
export function credentialsOf({ objects, logger }: KubeletServices, pod: Pod): Credentials {
  const { namespace } = pod.metadata;
  const account = objects.get('serviceaccounts', namespace, pod.spec.serviceAccountName ?? 'default');
  const references = [...(pod.spec.imagePullSecrets ?? []), ...(account?.imagePullSecrets ?? [])];
  const found: Record<string, { username: string; password: string }> = {};
  for (const { name = '' } of references) {
    const secret = objects.get('secrets', namespace, name);
    try {
      Object.assign(found, decodeSecret(secret?.data ?? {}));
    } catch {
      logger.log('warn', 'a pull secret is not valid JSON', { namespace, secret: name });
    }
  }
  return found;
}

interface DockerAuth {
  readonly username?: string;
  readonly password?: string;
  /** Base64 of `user:password`. */
  readonly auth?: string;
}

function decodeSecret(
  data: Readonly<Record<string, string>>,
): Record<string, { username: string; password: string }> {
  const decoded = (key: string) =>
    JSON.parse(Buffer.from(data[key] ?? 'e30=', 'base64').toString('utf8')) as object;
  const config = decoded('.dockerconfigjson') as { auths?: Record<string, DockerAuth> };
  const all = { ...(decoded('.dockercfg') as Record<string, DockerAuth>), ...config.auths };
  const result: Record<string, { username: string; password: string }> = {};
  for (const [server, entry] of Object.entries(all)) {
    const [name = '', ...rest] = Buffer.from(entry.auth ?? '', 'base64')
      .toString('utf8')
      .split(':');
    const host = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
    result[host] = { username: entry.username ?? name, password: entry.password ?? rest.join(':') };
  }
  return result;
}
