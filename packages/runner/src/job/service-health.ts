import { connect } from 'node:net';
import type { Clock } from '@updraft/kit';
import type { ImageConfig } from '@updraft/oci';
import type { Container, ContainerExit } from '@updraft/pods';
import { exposedPorts } from './image.ts';

/** GitLab's patience with a service. */
const READY_WITHIN_MS = 30_000;
const LONGEST_WAIT_MS = 300_000;
const ASK_EVERY_MS = 200;
const CHECK_EVERY_MS = 1000;
const CHECK_TIMEOUT_MS = 30_000;

/** How it is found out that a service can be used. */
export type Readiness =
  | { readonly kind: 'none' }
  /** One of the ports takes connections. */
  | { readonly kind: 'ports'; readonly ports: readonly number[] }
  /** The image's own check succeeds. */
  | {
      readonly kind: 'check';
      readonly command: readonly string[];
      readonly everyMs: number;
      readonly timeoutMs: number;
      readonly withinMs: number;
    };

/**
 * The port that HEALTHCHECK_TCP_PORT names; else the image's HEALTHCHECK, which knows more than a port; else the ports
 * it exposes; else nothing can be known.
 */
export function readinessOf(config: ImageConfig, env: Readonly<Record<string, string>>): Readiness {
  const asked = Number(env['HEALTHCHECK_TCP_PORT']);
  if (Number.isInteger(asked) && asked > 0 && asked < 65_536) return { kind: 'ports', ports: [asked] };
  const check = checkOf(config);
  if (check) return check;
  const ports = exposedPorts(config);
  return ports.length > 0 ? { kind: 'ports', ports } : { kind: 'none' };
}

function checkOf({ config }: ImageConfig): Readiness | undefined {
  const check = config?.Healthcheck;
  const command = checkCommand(check?.Test ?? [], config?.Shell);
  if (!command || !check) return undefined;
  const interval = milliseconds(check.Interval) || CHECK_EVERY_MS;
  return {
    kind: 'check',
    command,
    everyMs: Math.min(interval, CHECK_EVERY_MS),
    timeoutMs: milliseconds(check.Timeout) || CHECK_TIMEOUT_MS,
    withinMs: Math.min(READY_WITHIN_MS + milliseconds(check.StartPeriod), LONGEST_WAIT_MS),
  };
}

const milliseconds = (nanoseconds: number | undefined): number => (nanoseconds ?? 0) / 1e6;

/** `["CMD", …]`, `["CMD-SHELL", text]`; `["NONE"]` and nothing are no check. */
function checkCommand(
  test: readonly string[],
  shell: readonly string[] = ['/bin/sh', '-c'],
): readonly string[] | undefined {
  const [kind, ...words] = test;
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  return kind === 'CMD-SHELL' ? [...shell, ...words] : undefined;
}

export interface Waiting {
  readonly address: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type NotReady =
  | { readonly kind: 'ended'; readonly exit: ContainerExit }
  | { readonly kind: 'late'; readonly message: string };

/** @returns why the service is not ready; undefined when it is. Rejects when the job is ended meanwhile. */
export async function waitUntilReady(
  container: Container,
  readiness: Readiness,
  waiting: Waiting,
): Promise<NotReady | undefined> {
  let exit: ContainerExit | undefined;
  void container.exited.then((how) => (exit = how));
  const { clock } = waiting;
  const plan = planOf(container, readiness, waiting);
  const deadline = clock.elapsed() + plan.withinMs;
  for (;;) {
    if (await plan.ask()) return undefined;
    if (exit) return { kind: 'ended', exit };
    if (clock.elapsed() >= deadline) return { kind: 'late', message: plan.message };
    await clock.sleep(plan.everyMs, waiting.signal);
  }
}

interface Plan {
  readonly withinMs: number;
  readonly everyMs: number;
  readonly message: string;
  ask(): Promise<boolean>;
}

function planOf(container: Container, readiness: Readiness, { address, clock }: Waiting): Plan {
  const everyMs = ASK_EVERY_MS;
  if (readiness.kind === 'check') {
    return {
      ...readiness,
      message: `did not become healthy within ${readiness.withinMs / 1000} s (${readiness.command.join(' ')})`,
      ask: () => succeeds(container, readiness, clock),
    };
  }
  if (readiness.kind === 'none' || address === undefined) {
    return { withinMs: 0, everyMs, message: '', ask: async () => true };
  }
  const { ports } = readiness;
  // A pod elsewhere is looked at by its own cluster.
  const told = container.isReady?.bind(container);
  return {
    withinMs: READY_WITHIN_MS,
    everyMs,
    message: `did not answer on port ${ports.join(' or ')} within ${READY_WITHIN_MS / 1000} s`,
    ask:
      told ?? (async () => (await Promise.all(ports.map((port) => canConnect(address, port)))).some(Boolean)),
  };
}

async function succeeds(
  container: Container,
  check: Extract<Readiness, { kind: 'check' }>,
  clock: Clock,
): Promise<boolean> {
  const ignored = { onStdout: () => undefined, onStderr: () => undefined };
  // A container that has just ended cannot be asked; its exit is what counts then.
  const process = await container.exec(check.command, ignored).catch(() => undefined);
  if (!process) return false;
  const stopTimer = clock.timer(check.timeoutMs, () => void process.kill('SIGKILL'));
  const exit = await process.exited;
  stopTimer();
  return exit.kind === 'exited' && exit.code === 0;
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
