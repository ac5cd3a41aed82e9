const FIRST_MS = 10_000;
const LAST_MS = 300_000;

/** The pauses between attempts: 10, 20, 40, 80, 160 and then 300 seconds. */
export class BackOff {
  #next = FIRST_MS;

  next(): number {
    const pause = this.#next;
    this.#next = Math.min(pause * 2, LAST_MS);
    return pause;
  }

  reset(): void {
    this.#next = FIRST_MS;
  }
}

/** `10s`, `1m20s`, `5m0s`, as Kubernetes writes pauses. */
export function pauseText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
