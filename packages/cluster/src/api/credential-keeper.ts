import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@updraft/kit';
import type { Credentials } from './credentials.ts';

/** Often enough for a machine that was asleep for a month. */
const LOOK_EVERY_MS = 3_600_000;

export interface KeeperParts {
  readonly clock: Clock;
  /** The credentials as they ought to be now: the same ones, unless something of them ends soon. */
  readonly renew: () => Promise<Credentials>;
  readonly onRenewed: (credentials: Credentials) => void;
  /** They could not be made anew; tried again later. */
  readonly onFault: (error: unknown) => void;
}

/** Credentials that stay good for as long as a cluster runs. */
export class CredentialKeeper {
  readonly #parts: KeeperParts;
  #current: Credentials;
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(first: Credentials, parts: KeeperParts) {
    this.#parts = parts;
    this.#current = first;
    this.#wait();
  }

  get current(): Credentials {
    return this.#current;
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #wait(): void {
    if (!this.#closed) this.#cancel = this.#parts.clock.timer(LOOK_EVERY_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { renew, onRenewed, onFault } = this.#parts;
    try {
      const fresh = await renew();
      if (!this.#closed && !isDeepStrictEqual(fresh, this.#current)) {
        this.#current = fresh;
        onRenewed(fresh);
      }
    } catch (error) {
      onFault(error);
    }
    this.#wait();
  }
}
