import { expandAsRunner } from '@updraft/gitlab-ci';
import type { ServiceRequest } from '@updraft/gitlab-ci';
import type { Clock } from '@updraft/kit';
import type { Container, ContainerExit, ContainerSpec, Pod } from '@updraft/pods';
import { pulledService } from './elsewhere/plan.ts';
import { containerEnv, entryCommand, exposedPorts } from './image.ts';
import type { JobLog } from './log.ts';
import { readinessOf, waitUntilReady } from './service-health.ts';
import type { Readiness } from './service-health.ts';
import type { ResolvedImage } from '../ports.ts';

/** Of what a service prints so much is kept, for the case that it fails. */
const KEPT_BYTES = 16 * 1024;
const SHOWN_LINES = 20;

/** Host names of a service: its aliases, and GitLab's two spellings of the image's name. Variables are expanded. */
export function serviceNames(service: Pick<ServiceRequest, 'name' | 'aliases'>): readonly string[] {
  const aliases = service.aliases.flatMap((alias) => alias.split(/[\s,]+/)).filter(Boolean);
  const bare = service.name
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
    .replace(/^([^/]*):\d+\//, '$1/');
  return [...new Set([...aliases, bare.replaceAll('/', '__'), bare.replaceAll('/', '-')])];
}

/** Where a job's services run: beside it, in its pod. */
export interface ServicePlace {
  readonly pod: Pod;
  readonly env: Readonly<Record<string, string>>;
  readonly log: JobLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A service with its image, ready to be started. */
export interface PlannedService {
  /** Its image's name, expanded. */
  readonly name: string;
  readonly request: ServiceRequest;
  readonly image: ResolvedImage;
}

interface Started {
  readonly name: string;
  readonly container: Container;
  readonly readiness: Readiness;
  readonly output: ServiceOutput;
}

/**
 * Starts services, then waits for all of them at once, each for at most as long as GitLab does: in vain is a warning
 * with the last that the service said. One that ends while the job runs is said too.
 * @returns to be called when the job is over: from then on their end is no news.
 */
export async function startServices(
  place: ServicePlace,
  services: readonly PlannedService[],
): Promise<() => void> {
  for (const clash of portClashes(services)) place.log.warning(clash);
  const started: Started[] = [];
  for (const [index, service] of services.entries()) started.push(await startOne(place, service, index));
  let over = false;
  const waiting = started.map((service) => awaitReady(place, service));
  await Promise.all(waiting);
  const watch = async (service: Started) => {
    const exit = await service.container.exited;
    if (!over && !service.output.reported) report(place.log, service, ended(exit));
  };
  for (const service of started) void watch(service);
  return () => {
    over = true;
    for (const { output } of started) output.flush();
  };
}

/** Services of a job share its address here; GitLab gives each its own. */
function portClashes(services: readonly PlannedService[]): readonly string[] {
  const byPort = new Map<number, string>();
  const clashes: string[] = [];
  for (const { name, image } of services) {
    for (const port of exposedPorts(image.image.config)) {
      const other = byPort.get(port);
      if (other !== undefined) {
        clashes.push(
          `the services ${other} and ${name} both use port ${port}, which only one of them can have`,
        );
      }
      byPort.set(port, name);
    }
  }
  return clashes;
}

async function startOne(place: ServicePlace, service: PlannedService, index: number): Promise<Started> {
  const { image, name } = service;
  const { env, log } = place;
  log.line(`Starting the service ${name}`);
  const spec = serviceSpec(service, index, env);
  const output = new ServiceOutput(env['CI_DEBUG_SERVICES'] === 'true' ? { log, name } : undefined);
  const onOutput = (chunk: Buffer) => output.add(chunk);
  const container = await place.pod.start(spec, { onStdout: onOutput, onStderr: onOutput });
  return { name, container, output, readiness: readinessOf(image.image.config, spec.env) };
}

/** A service's container. @param env the job's variables */
export function serviceSpec(
  service: PlannedService,
  index: number,
  env: Readonly<Record<string, string>>,
): ContainerSpec {
  const name = `service-${index}`;
  const { request, image } = service;
  if (image.reference) return pulledService(service, { name, env });
  const own = Object.fromEntries(
    Object.entries(request.variables).map(([key, value]) => [key, expandAsRunner(value, env)]),
  );
  const config = image.image.config;
  return {
    name,
    rootFs: { layers: image.layers },
    command: entryCommand(config, request.entrypoint, request.command),
    env: { ...containerEnv(config), ...env, ...own },
    workingDir: config.config?.WorkingDir || '/',
    security: { user: request.user ?? (config.config?.User || '0') },
  };
}

async function awaitReady(place: ServicePlace, service: Started): Promise<void> {
  const { container, readiness } = service;
  const why = await waitUntilReady(container, readiness, { ...place, address: place.pod.address });
  if (why === undefined) return;
  report(place.log, service, why.kind === 'ended' ? ended(why.exit) : why.message);
}

function ended(exit: ContainerExit): string {
  return exit.kind === 'exited' ? `ended with exit code ${exit.code}` : `could not start: ${exit.message}`;
}

function report(log: JobLog, { name, output }: Started, what: string): void {
  output.reported = true;
  log.warning(`the service ${name} ${what}`);
  const lines = output.lastLines();
  if (lines.length > 0) log.line(`The last it said:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

/** What a service prints: its end is kept, and with CI_DEBUG_SERVICES every line goes to the job's log. */
class ServiceOutput {
  reported = false;
  readonly #shown: { readonly log: JobLog; readonly name: string } | undefined;
  #kept = '';
  #line = '';

  constructor(shown: { log: JobLog; name: string } | undefined) {
    this.#shown = shown;
  }

  add(chunk: Buffer): void {
    const text = chunk.toString('utf8');
    this.#kept = (this.#kept + text).slice(-KEPT_BYTES);
    if (!this.#shown) return;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#show(line);
  }

  flush(): void {
    if (this.#line !== '') this.#show(this.#line);
    this.#line = '';
  }

  lastLines(): readonly string[] {
    return this.#kept.trimEnd().split('\n').filter(Boolean).slice(-SHOWN_LINES);
  }

  #show(line: string): void {
    this.#shown?.log.line(`[service:${this.#shown.name}] ${line}`);
  }
}
