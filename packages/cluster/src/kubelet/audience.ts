import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import type { Container as RunningContainer } from '@updraft/pods';
import type { AttachOptions, Attachment, OutputSink } from '../api/ports.ts';
import type { Container } from '../kinds/pod.ts';

/** What a client may leave unread; the container is not held up for it. */
const MAX_BEHIND_BYTES = 8 * 1024 * 1024;

interface Listener {
  readonly options: AttachOptions;
  behindBytes: number;
}

/** Who is attached to one container, through all its instances. */
export class Audience {
  readonly #container: Container;
  readonly #listeners = new Set<Listener>();
  #input: PassThrough | undefined;

  constructor(container: Container) {
    this.#container = container;
  }

  /** The input of a new instance; undefined when the container has none. */
  open(): Readable | undefined {
    this.#input = this.#container.stdin ? new PassThrough() : undefined;
    return this.#input;
  }

  tell(stream: 'onStdout' | 'onStderr', chunk: Buffer): void {
    for (const listener of this.#listeners) {
      if (listener.behindBytes <= MAX_BEHIND_BYTES) hand(listener, listener.options[stream], chunk);
    }
  }

  /** Until the instance ends or the client leaves. */
  join(running: RunningContainer, options: AttachOptions): Attachment {
    const listener: Listener = { options, behindBytes: 0 };
    this.#listeners.add(listener);
    const input = options.stdin && this.#input;
    // An input that may be attached to again stays open when its first client leaves.
    if (input) options.stdin.pipe(input, { end: this.#container.stdinOnce === true });
    const leave = () => {
      this.#listeners.delete(listener);
      if (!input || !options.stdin) return;
      options.stdin.unpipe(input);
      if (this.#container.stdinOnce) input.end();
    };
    const exited = running.exited.then((exit) => {
      leave();
      return exit;
    });
    return { exited, resize: (columns, rows) => running.resize?.(columns, rows), detach: leave };
  }
}

function hand(listener: Listener, sink: OutputSink, chunk: Buffer): void {
  const taken = sink(chunk);
  if (!taken) return;
  listener.behindBytes += chunk.length;
  const caughtUp = () => {
    listener.behindBytes -= chunk.length;
  };
  void taken.then(caughtUp, caughtUp);
}
