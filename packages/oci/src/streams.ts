import type { Exit, RunningProcess } from '@updraft/kit';
import { createHash } from 'node:crypto';
import { Transform, pipeline } from 'node:stream';
import type { Duplex, Readable } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { OciFault } from './faults.ts';
import type { Digest } from './types.ts';

const CHUNK_BYTES = 1024 * 1024;

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
  readonly #hash = createHash('sha256');
  #size = 0;
  #digest: Digest | undefined;

  constructor() {
    super({ readableHighWaterMark: CHUNK_BYTES, writableHighWaterMark: CHUNK_BYTES });
  }

  get size(): number {
    return this.#size;
  }

  get digest(): Digest {
    this.#digest ??= `sha256:${this.#hash.digest('hex')}`;
    return this.#digest;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }
}

/** A Meter that fails at the end of the stream when the bytes were others than announced. */
export class Verifier extends Meter {
  readonly #expected: Digest;
  readonly #what: string;

  constructor(expected: Digest, what: string) {
    super();
    this.#expected = expected;
    this.#what = what;
  }

  override _flush(done: TransformCallback): void {
    done(this.digest === this.#expected ? null : wrongDigest(this.#what, this.#expected, this.digest));
  }
}

export function wrongDigest(what: string, expected: Digest, found: Digest): OciFault {
  return new OciFault('DIGEST_INVALID', `${what} should be ${expected}, but its content is ${found}`);
}
