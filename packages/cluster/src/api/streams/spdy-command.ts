import type { Duplex } from 'node:stream';
import type { Clock } from '@updraft/kit';
import type { CommandStreams, RemoteCommand } from './remote-command.ts';
import { serveSpdy } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/connection.ts';

const PATIENCE_MS = 30_000;

/**
 * The streams of a command over SPDY: the client opens one for each thing it asked for, and only then does it begin.
 * undefined: it did not, and is gone.
 */
export async function collectStreams(
  transport: Duplex,
  remote: RemoteCommand,
  clock: Clock,
): Promise<CommandStreams | undefined> {
  const names = ['stdin', 'stdout', 'stderr'] as const;
  const wanted = ['error', ...names.filter((name) => remote[name]), ...(remote.terminal ? ['resize'] : [])];
  const found = new Map<string, SpdyStream>();
  let complete: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    complete = resolve;
  });
  const connection = serveSpdy(
    transport,
    (stream) => {
      const name = stream.headers.get('streamtype') ?? '';
      // What is said on a stream that nobody listens to is let go.
      if (name !== 'stdin' && name !== 'resize') stream.resume();
      if (!wanted.includes(name) || found.has(name)) return stream.destroy();
      found.set(name, stream);
      if (found.size === wanted.length) complete();
    },
    clock,
  );
  const cancel = clock.timer(PATIENCE_MS, () => connection.close());
  await Promise.race([all, connection.closed]);
  cancel();
  const error = found.get('error');
  if (found.size < wanted.length || !error) return undefined;
  return {
    stdin: found.get('stdin'),
    stdout: found.get('stdout'),
    stderr: found.get('stderr'),
    resize: found.get('resize'),
    error,
    closed: connection.closed,
    close: () => connection.close(),
  };
}
