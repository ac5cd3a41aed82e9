import { readFileSync, readdirSync } from 'node:fs';
import { signalProcess } from '@updraft/kit';

/** A process of this host, told from a later one of the same id by when it started. */
export interface HostProcess {
  readonly pid: number;
  readonly group: number;
  readonly startTicks: string;
}

/** This moment, as `startTicks` counts: hundredths of a second since the machine started. */
export const ticksNow = (): number =>
  Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 100);

/** All processes that `pid` has started, directly or not, and that are still below it. */
export function descendants(pid: number): readonly HostProcess[] {
  const found: HostProcess[] = [];
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of childrenOf(next)) {
      const status = statusOf(child);
      if (status === undefined || found.some((known) => known.pid === child)) continue;
      found.push(status);
      waiting.push(child);
    }
  }
  return found;
}

/**
 * Processes of this host that have `mark` in the environment they were started with, wherever they have gone: a
 * daemon has left its group, its session and its parent. Only those newer than the process `after` are looked at.
 */
export function marked(mark: string, after: number): readonly HostProcess[] {
  return newerThan(after).flatMap((pid) => {
    const status = environmentOf(pid).includes(mark) ? statusOf(pid) : undefined;
    return status ? [status] : [];
  });
}

/** Asking for this many ids one by one costs less than listing all processes. */
const FEW = 100;

function newerThan(after: number): readonly number[] {
  const newest = Number(readFileSync('/proc/loadavg', 'utf8').trim().split(' ').at(-1));
  const count = newest - after;
  if (count >= 0 && count <= FEW) return Array.from({ length: count }, (_, index) => after + 1 + index);
  // Once all ids have been given, new processes get low ones again.
  const lowest = count < 0 ? 0 : after;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > lowest);
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // It has ended, or is another user's.
  }
}

/** Sends a signal to those that are still the processes they were. */
export function signalThose(processes: readonly HostProcess[], signal: NodeJS.Signals): void {
  for (const { pid, startTicks } of processes) {
    if (statusOf(pid)?.startTicks === startTicks) signalProcess(pid, signal);
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return []; // It has ended.
  }
}

function statusOf(pid: number): HostProcess | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the fields after it are numbers, the first of them the third field.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, group: Number(fields[2]), startTicks: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
