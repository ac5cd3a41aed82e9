import { expandAsRunner } from '@updraft/gitlab-ci';
import type { ImageRequest } from '@updraft/gitlab-ci';
import type { ContainerSpec, PodPlan } from '@updraft/pods';
import type { Prepared } from '../prepare.ts';
import type { PlannedService } from '../services.ts';
import type { ResolvedImage } from '../../ports.ts';

/** Pulling images and waiting for a node are not part of a job's time, but of its pod's. */
const START_SECONDS = 1800;

/** An image that the runtime has pulled where its pods run: nothing is known of it here but its name. */
export function pulledImage({ name, pullPolicy, entrypoint }: ImageRequest): ResolvedImage {
  const policy = pullPolicy?.[0];
  return {
    image: { config: { architecture: '', os: '', rootfs: { type: 'layers', diff_ids: [] } } },
    layers: [],
    notes: [],
    needsTools: false,
    reference: {
      name,
      ...(policy === undefined ? {} : { pullPolicy: policy }),
      ...(entrypoint === undefined ? {} : { entrypoint: entrypoint.filter((word) => word !== '') }),
    },
  };
}

/** What a job's pod will hold, for runtimes that have to know when they make it. */
export function planOf(
  { environment, image, place, timeouts }: Prepared,
  user: string | undefined,
  services: readonly ContainerSpec[],
): PodPlan {
  const config = registryConfig(environment.values);
  return {
    main: {
      env: {},
      ...(image?.reference ? { image: image.reference } : {}),
      ...(user === undefined ? {} : { security: { user } }),
    },
    beside: services.map((service) => ({ ...service, ...readyPort(service) })),
    folders: [place.buildsDir],
    deadlineSeconds: Math.ceil(timeouts.jobSeconds + timeouts.afterScriptSeconds + START_SECONDS),
    ...(config === undefined ? {} : { registryConfig: config }),
  };
}

/** Without an image at hand only this variable says where a service listens, as for GitLab's own executor. */
function readyPort({ env }: ContainerSpec): { readyPort?: number } {
  const port = Number(env['HEALTHCHECK_TCP_PORT']);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? { readyPort: port } : {};
}

/** A service as the cluster starts it: the image's own command, changed as the job asks. */
export function pulledService(
  { request, image }: PlannedService,
  { name, env }: { readonly name: string; readonly env: Readonly<Record<string, string>> },
): ContainerSpec {
  const own = Object.entries(request.variables).map(([key, value]) => [key, expandAsRunner(value, env)]);
  const { reference = { name: request.name } } = image;
  return {
    name,
    rootFs: { layers: [] },
    image: { ...reference, ...(request.command ? { args: request.command } : {}) },
    command: [],
    env: { ...env, ...(Object.fromEntries(own) as Record<string, string>) },
    workingDir: '',
    ...(request.user === undefined ? {} : { security: { user: request.user } }),
  };
}

/** DOCKER_AUTH_CONFIG, and the job's login to its own registry, as GitLab's runner puts them together. */
export function registryConfig(values: Readonly<Record<string, string>>): string | undefined {
  const { CI_REGISTRY: registry, CI_REGISTRY_USER: user, CI_REGISTRY_PASSWORD: password } = values;
  const own =
    registry && user && password
      ? { [registry]: { auth: Buffer.from(`${user}:${password}`).toString('base64') } }
      : {};
  const auths = { ...own, ...authsOf(values['DOCKER_AUTH_CONFIG']) };
  return Object.keys(auths).length > 0 ? JSON.stringify({ auths }) : undefined;
}

/** What is no JSON holds nothing. */
function authsOf(text: string | undefined): object {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    const auths = typeof parsed === 'object' && parsed !== null && 'auths' in parsed ? parsed.auths : {};
    return typeof auths === 'object' && auths !== null ? auths : {};
  } catch {
    return {};
  }
}
