import { PodsFault } from '../fault.ts';
import { addressToNumber, cidrSize, numberToAddress } from './cidr.ts';
import type { Cidr } from './cidr.ts';

/** Hands out addresses in order, so that one that was given back is used again as late as possible. */
export class AddressPool {
  readonly #range: Cidr;
  readonly #taken = new Set<number>();
  #next: number;

  /** The first `reserved` addresses of the range, and the last one, are never given. */
  constructor(range: Cidr, reserved: number) {
    this.#range = range;
    this.#next = reserved;
    for (let offset = 0; offset < reserved; offset += 1) this.#taken.add(offset);
    this.#taken.add(cidrSize(range) - 1);
  }

  /** @throws PodsFault NO_FREE_ADDRESS */
  take(): string {
    const size = cidrSize(this.#range);
    if (this.#taken.size >= size) {
      throw new PodsFault('NO_FREE_ADDRESS', `all ${size} addresses for pods are taken`, {
        next: 'Stop environments that are no longer needed.',
      });
    }
    while (this.#taken.has(this.#next)) this.#next = (this.#next + 1) % size;
    const offset = this.#next;
    this.#next = (offset + 1) % size;
    this.#taken.add(offset);
    return numberToAddress(this.#range.base + offset);
  }

  /** Somebody has it already. An address of another range is none of this pool's business, here and in `free`. */
  reserve(address: string): void {
    const offset = this.#offset(address);
    if (offset !== undefined) this.#taken.add(offset);
  }

  free(address: string): void {
    const offset = this.#offset(address);
    if (offset !== undefined) this.#taken.delete(offset);
  }

  #offset(address: string): number | undefined {
    const offset = addressToNumber(address) - this.#range.base;
    return offset >= 0 && offset < cidrSize(this.#range) ? offset : undefined;
  }
}
