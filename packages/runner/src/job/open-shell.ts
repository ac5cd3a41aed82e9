import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { Fault } from '@updraft/kit';
import type { Undo } from '@updraft/kit';
import { expandAsRunner } from '@updraft/gitlab-ci';
import type { Pod, PodSpec, Runtime } from '@updraft/pods';
import { planOf } from './elsewhere/plan.ts';
import type { Execution } from './execution.ts';
import { containerEnv } from './image.ts';
import { findImage, imageName } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { serviceNames, serviceSpec, startServices } from './services.ts';
import type { PlannedService } from './services.ts';
import type { ShellPlace } from './shell.ts';
import { rootOf } from './workspace.ts';
import type { ResolvedImage } from '../ports.ts';

/** The pod with its services, and what shells in it need. */
export async function openShell(execution: Execution, prepared: Prepared, undo: Undo): Promise<ShellPlace> {
  const { job } = execution.input;
  const { environment, place, image, workspace, log } = prepared;
  const services = await planServices(execution, prepared);
  const pod = await makePod(execution, prepared, services);
  undo.add(() => pod.remove());
  await openServices(execution, prepared, { pod, undo, services });
  const rootUpper = rootOf(workspace.temporaryDir);
  if (image) await mkdir(rootUpper, { recursive: true });
  const tools = image?.needsTools
    ? await attachTools(execution, prepared, { image, rootUpper, undo })
    : undefined;
  return {
    pod,
    image,
    request: job.image,
    hostShell: execution.hostShell,
    rootUpper,
    workspace,
    projectDir: place.projectDir,
    temporaryDir: place.temporaryDir,
    mounts: tools?.mounts ?? [],
    imageEnv: image && !image.reference ? containerEnv(image.image.config) : {},
    env: { ...environment.values, ...safeDirectory(place.projectDir), ...tools?.env },
    log,
    clock: execution.config.clock,
  };
}

async function attachTools(
  { config, input, signal }: Execution,
  { place, workspace }: Prepared,
  { image, rootUpper, undo }: { image: ResolvedImage; rootUpper: string; undo: Undo },
) {
  const tools = await config.tools.attach({
    name: input.job.name,
    projectDir: place.projectDir,
    hostProjectDir: workspace.dir,
    rootUpper,
    rootLayers: image.layers,
    timestampMs: Date.parse(input.request.facts.timestamp),
    signal,
  });
  undo.add(() => tools.close());
  return tools;
}

/** git refuses a work tree of another user's; the job's checkout is meant to be used by whoever the image runs as. */
const safeDirectory = (projectDir: string): Record<string, string> => ({
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: projectDir,
});

async function makePod(
  execution: Execution,
  prepared: Prepared,
  services: readonly PlannedService[],
): Promise<Pod> {
  const { image, environment, log } = prepared;
  const { config, input } = execution;
  const expand = (text: string) => expandAsRunner(text, environment.values);
  const runtime = await runtimeFor(execution, image);
  const names = input.job.services.flatMap((service) =>
    serviceNames({ name: expand(service.name), aliases: service.aliases.map(expand) }),
  );
  const spec: PodSpec = {
    name: `job-${input.runId}-${input.jobId}-${randomBytes(3).toString('hex')}`,
    hostname: `runner-job-${input.jobId}`,
    labels: { 'updraft/run': String(input.runId), 'updraft/job': input.job.name },
    hosts: Object.fromEntries(names.map((name) => [name, '127.0.0.1'])),
    unreachable: true,
  };
  // Elsewhere the platform's gateway is nobody's, and a pod takes its time.
  if (!runtime.pulls) return runtime.createPod({ ...spec, gatewayPortsOnLoopback: config.gatewayPorts });
  const beside = services.map((service, index) => serviceSpec(service, index, environment.values));
  const { cluster } = input.request;
  log.line(`Making a pod of the cluster ${cluster?.context ?? cluster?.server ?? ''}`);
  return runtime.createPod(
    { ...spec, plan: planOf(prepared, input.job.image?.user, beside) },
    { signal: execution.signal, onProgress: (line) => log.line(`Waiting for the pod: ${line}`) },
  );
}

/** @throws Fault CLUSTER_MISSING */
function runtimeFor(
  { config, input }: Execution,
  image: ResolvedImage | undefined,
): Runtime | Promise<Runtime> {
  const { executor, cluster } = input.request;
  if (!image) return config.hostRuntime;
  if (executor !== 'kubernetes') return config.runtime;
  if (cluster) return config.clusters.runtime(cluster);
  throw new Fault('CLUSTER_MISSING', 'this run names no cluster whose pods its jobs could be');
}

async function planServices(
  execution: Execution,
  { environment, image: jobImage, log }: Prepared,
): Promise<readonly PlannedService[]> {
  const { services } = execution.input.job;
  if (services.length === 0) return [];
  if (!jobImage) {
    log.warning('services run beside a container and are not started: this job runs on the host itself');
    return [];
  }
  return Promise.all(
    services.map(async (request) => {
      const name = imageName(request, environment);
      const image = await findImage(execution, { ...request, name }, { environment, log });
      return { name, request, image };
    }),
  );
}

async function openServices(
  execution: Execution,
  { environment, log }: Prepared,
  { pod, undo, services }: { pod: Pod; undo: Undo; services: readonly PlannedService[] },
): Promise<void> {
  if (services.length === 0) return;
  const { clock } = execution.config;
  const place = { pod, env: environment.values, log, clock, signal: execution.signal };
  undo.add(await startServices(place, services));
}
