import { constants } from 'node:os';

const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** The number of `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3`; undefined when there is no such signal. */
export function signalNumber(text: string): number | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const real = /^RTMIN(?:\+(\d{1,2}))?$/.exec(name);
  const numeric = /^\d{1,2}$/.test(name) ? Number(name) : undefined;
  const number = real
    ? SIGRTMIN + Number(real[1] ?? 0)
    : (numeric ?? constants.signals[`SIG${name}` as NodeJS.Signals] ?? undefined);
  return number !== undefined && number > 0 && number <= SIGRTMAX ? number : undefined;
}

/** Sends a signal by any of its names; a process that is gone, or a name that means nothing, is no error. */
export function sendSignal(pid: number, name: string): void {
  const number = signalNumber(name) ?? signalNumber('SIGTERM');
  try {
    process.kill(pid, number);
  } catch {
    // ESRCH: it ended meanwhile, which is what a signal usually wants.
  }
}
