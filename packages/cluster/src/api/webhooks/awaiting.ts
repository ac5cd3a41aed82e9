/**
 * Thrown by what cannot go on before somebody has answered. Whoever catches it does the whole thing again when `settled`
 * has resolved: then the answer is there. So what writes to the store stays one step, in which nothing else happens.
 */
export class Awaiting extends Error {
  override readonly name = 'Awaiting';
  readonly settled: Promise<void>;

  constructor(settled: Promise<void>) {
    super('webhooks are being asked');
    this.settled = settled;
  }
}

/** For those who catch whatever goes wrong: this has not. @throws Awaiting */
export function passOnAwaiting(error: unknown): void {
  if (error instanceof Awaiting) throw error;
}

/** Runs it again as long as it waits for an answer. Costs nothing when it does not. */
export function resumed<T>(run: () => T | Promise<T>): T | Promise<T> {
  try {
    const result = run();
    return result instanceof Promise ? result.catch((error: unknown) => resume(error, run)) : result;
  } catch (error) {
    if (error instanceof Awaiting) return resume(error, run);
    throw error;
  }
}

async function resume<T>(error: unknown, run: () => T | Promise<T>): Promise<T> {
  if (!(error instanceof Awaiting)) throw error;
  await error.settled;
  return resumed(run);
}
