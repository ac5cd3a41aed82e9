import type { Exit, RunningProcess } from '@updraft/kit';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { Transform, pipeline } from 'node:stream';
import type { Duplex, Readable } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { algorithmOf } from './digest.ts';
import type { Algorithm } from './digest.ts';
import { OciFault } from './faults.ts';
import type { Digest } from './types.ts';

const CHUNK_BYTES = 256 * 1024;

/** Ties streams together and gives the last one; what fails in one ends all of them, and the last one reports it. */
export function chain(source: Readable, ...through: readonly Duplex[]): Readable {
  const last = through.at(-1);
  if (last === undefined) return source;
  // The last stream keeps the error for whoever reads it, who may come later: until then it must not end the process.
  last.on('error', () => undefined);
  pipeline([source, ...through], () => undefined);
  return last;
}

/**
 * Gives a program's output to `target`. Its verdict comes before the end of the stream: what a failing program has
 * printed never looks complete.
 */
export function followProgram(
  program: RunningProcess,
  target: Transform,
  judge: (exit: Exit) => Error | undefined,
): void {
  const { stdout } = program;
  target.once('close', () => program.kill('SIGKILL'));
  stdout?.once('error', (error) => target.destroy(error));
  stdout?.pipe(target, { end: false });
  stdout?.once('end', () => void finish());
  async function finish(): Promise<void> {
    const failure = judge(await program.exited);
    if (failure) target.destroy(failure);
    else target.end();
  }
}

/** Passes bytes on and adds them up; the results are there once the stream has ended. */
export class Meter extends Transform {
  readonly #algorithm: Algorithm;
  readonly #hash: Hash;
  #size = 0;
  #digest: Digest | undefined;

  constructor(algorithm: Algorithm = 'sha256') {
    super({ readableHighWaterMark: CHUNK_BYTES, writableHighWaterMark: CHUNK_BYTES });
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  get size(): number {
    return this.#size;
  }

  get digest(): Digest {
    this.#digest ??= `${this.#algorithm}:${this.#hash.digest('hex')}`;
    return this.#digest;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.measure(chunk);
    done(null, chunk);
  }

  protected measure(chunk: Buffer): void {
    this.#size += chunk.length;
    this.#hash.update(chunk);
  }
}

/**
 * A Meter that fails at the end of the stream when the bytes were others than announced, after `onWrong`. The last piece
 * is held back until then: nobody gets wrong content whole.
 */
export class Verifier extends Meter {
  readonly #expected: Digest;
  readonly #what: string;
  readonly #onWrong: () => Promise<void>;
  #last: Buffer | undefined;

  constructor(expected: Digest, what: string, onWrong = () => Promise.resolve()) {
    super(algorithmOf(expected));
    this.#expected = expected;
    this.#what = what;
    this.#onWrong = onWrong;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.measure(chunk);
    const before = this.#last;
    this.#last = chunk;
    done(null, before);
  }

  override _flush(done: TransformCallback): void {
    if (this.digest === this.#expected) return done(null, this.#last);
    const wrong = wrongDigest(this.#what, this.#expected, this.digest);
    void this.#refuse(wrong, done);
  }

  async #refuse(wrong: OciFault, done: TransformCallback): Promise<void> {
    try {
      await this.#onWrong();
    } catch {
      // What is wrong with the content says more than what is wrong with its removal.
    }
    done(wrong);
  }
}

export function wrongDigest(what: string, expected: Digest, found: Digest): OciFault {
  return new OciFault('DIGEST_INVALID', `${what} should be ${expected}, but its content is ${found}`);
}
