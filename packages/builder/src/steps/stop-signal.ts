import { constants } from 'node:os';
import { BuildFailure } from '../failure.ts';

/** Real-time signals count from either end of 34 to 64. */
const REAL_TIME = /^RTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/;
const NAMES = new Set(Object.keys(constants.signals).map((name) => name.replace(/^SIG/, '')));

/** A signal's name or number as it was written, when there is such a signal. */
export function stopSignal(signal: string): string {
  const name = signal.toUpperCase().replace(/^SIG/, '');
  const isKnown = /^[+-]?\d+$/.test(signal) ? Number(signal) !== 0 : NAMES.has(name) || REAL_TIME.test(name);
  if (isKnown) return signal;
  throw new BuildFailure(`${signal} is no signal`);
}
