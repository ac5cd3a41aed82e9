import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Fault, codeOf } from '@updraft/kit';
import type { Transport } from '@updraft/control';

/** Else Node asks a regular expression that takes longer to compile than the daemon to answer whether `localhost` is IPv6. */
const UNNAMED = { servername: '' };

/** HTTP over the daemon's Unix socket. */
export function socketTransport(socketPath: string): Transport {
  return {
    send: ({ method, path, body, signal }) =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' };
        const outgoing = request({
          ...UNNAMED,
          socketPath,
          method,
          path,
          headers,
          ...(signal ? { signal } : {}),
        });
        outgoing.once('error', (error) => reject(codeOf(error) === 'ECONNRESET' ? died(error) : error));
        outgoing.once('response', (response) => {
          response.setEncoding('utf8');
          resolve({ status: response.statusCode ?? 500, body: untilTheEnd(response, signal) });
        });
        outgoing.end(body);
      }),
  };
}

/** An answer that breaks off means that the daemon has died. */
async function* untilTheEnd(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncIterable<string> {
  try {
    for await (const chunk of response) yield String(chunk);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw died(error);
  }
}

function died(cause: unknown): Fault {
  return new Fault('DAEMON_DIED', 'the daemon ended in the middle of its answer', {
    cause,
    next: 'What it was doing counts as failed. The next command starts it again; daemon.log in UPDRAFT_HOME may tell why.',
  });
}
