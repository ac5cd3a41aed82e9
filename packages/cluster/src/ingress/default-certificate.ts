import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { Clock } from '@updraft/kit';

const NAME = 'Updraft Ingress Default Certificate';
const HOSTS = ['ingress.local', 'localhost', '*.localhost', '*.updraft.localhost'];
const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000;

export interface Pem {
  readonly certificate: string;
  readonly key: string;
}

/** The certificate for hosts that have none of their own. Made when it is first needed, then kept in `dir`. */
export class DefaultCertificate {
  readonly #dir: string;
  readonly #clock: Clock;
  #made: Promise<Pem> | undefined;
  #endsAtMs = 0;

  constructor(dir: string, clock: Clock) {
    this.#dir = dir;
    this.#clock = clock;
  }

  /** The same object as long as it is the same certificate. */
  pem(): Promise<Pem> {
    if (this.#endsAtMs - this.#clock.now() < RENEW_BEFORE_MS) this.#made = undefined;
    this.#made ??= this.#make();
    return this.#made;
  }

  async #make(): Promise<Pem> {
    // Until the end is known: whoever asks meanwhile waits for the same one.
    this.#endsAtMs = Number.POSITIVE_INFINITY;
    try {
      const pair = (await this.#read()) ?? (await this.#issue());
      this.#endsAtMs = endOf(pair.certificate);
      return pair;
    } catch (error) {
      this.#endsAtMs = 0;
      throw error;
    }
  }

  async #read(): Promise<Pem | undefined> {
    const certificate = await readTextIfPresent(path.join(this.#dir, 'ingress.crt'));
    const key = await readTextIfPresent(path.join(this.#dir, 'ingress.key'));
    if (!certificate || !key) return undefined;
    return endOf(certificate) - this.#clock.now() > RENEW_BEFORE_MS ? { certificate, key } : undefined;
  }

  async #issue(): Promise<Pem> {
    // Loaded only to issue: it costs more time than the rest of a start.
    const { createSelfSigned } = await import('../api/certificates.ts');
    const made = await createSelfSigned({ name: NAME, hosts: HOSTS }, this.#clock.now(), 1);
    await writeFileAtomic(path.join(this.#dir, 'ingress.key'), made.key, { mode: 0o600 });
    await writeFileAtomic(path.join(this.#dir, 'ingress.crt'), made.certificate, { mode: 0o600 });
    return made;
  }
}

/** 0 for what is no certificate: it is made anew. */
function endOf(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(certificate).validTo);
  } catch {
    return 0;
  }
}
