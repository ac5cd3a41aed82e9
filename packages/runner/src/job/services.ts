import { connect } from 'node:net';
import type { Clock } from '@updraft/kit';
import type { Container, Pod } from '@updraft/pods';
import { expandVariables } from '@updraft/gitlab-ci';
import type { ServiceRequest } from '@updraft/gitlab-ci';
import { containerEnv, entryCommand, exposedPorts } from './image.ts';
import type { JobLog } from './log.ts';
import type { ResolvedImage } from '../ports.ts';

const READY_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 200;

/** Host names of a service: its aliases, and GitLab's two spellings of the image's name. */
export function serviceNames(service: ServiceRequest): readonly string[] {
  const bare = service.name.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return [...new Set([...service.aliases, bare.replaceAll('/', '__'), bare.replaceAll('/', '-')])];
}

/** Starts a service beside the job and waits for its first port, as GitLab does: in vain is only a warning. */
export async function startService(
  pod: Pod,
  service: ServiceRequest,
  resolved: ResolvedImage,
  context: {
    index: number;
    env: Readonly<Record<string, string>>;
    log: JobLog;
    clock: Clock;
    signal: AbortSignal;
  },
): Promise<Container> {
  const { env, log, clock, signal } = context;
  const own = Object.entries(service.variables).map(([key, value]) => [key, expandVariables(value, env)]);
  const container = await pod.start(
    {
      name: `service-${context.index}`,
      rootFs: { layers: resolved.layers },
      command: entryCommand(resolved.image.config, service.entrypoint, service.command),
      env: { ...containerEnv(resolved.image.config), ...env, ...Object.fromEntries(own) },
      workingDir: resolved.image.config.config?.WorkingDir || '/',
      security: { user: service.user ?? resolved.image.config.config?.User ?? '0' },
    },
    { onStdout: () => undefined, onStderr: () => undefined },
  );
  const [port] = exposedPorts(resolved.image.config);
  if (port === undefined || pod.address === undefined) return container;
  if (!(await answers(pod.address, port, { clock, signal, container }))) {
    log.line(`WARNING: the service ${service.name} did not answer on port ${port} within 30 s`);
  }
  return container;
}

async function answers(
  address: string,
  port: number,
  context: { clock: Clock; signal: AbortSignal; container: Container },
): Promise<boolean> {
  let ended = false;
  void context.container.exited.then(() => (ended = true));
  const deadline = context.clock.elapsed() + READY_WITHIN_MS;
  while (context.clock.elapsed() < deadline && !ended) {
    if (await canConnect(address, port)) return true;
    await context.clock.sleep(ASK_EVERY_MS, context.signal);
  }
  return false;
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const answer = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}
