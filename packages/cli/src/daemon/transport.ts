import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Fault } from '@updraft/kit';
import type { Transport } from '@updraft/control';

/** HTTP over the daemon's Unix socket. */
export function socketTransport(socketPath: string): Transport {
  return {
    send: ({ method, path, body, signal }) =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' };
        const outgoing = request({ socketPath, method, path, headers, ...(signal ? { signal } : {}) });
        outgoing.once('error', reject);
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
    throw new Fault('DAEMON_DIED', 'the daemon ended in the middle of its answer', {
      cause: error,
      next: 'What it was doing counts as failed. The next command starts it again; daemon.log in UPDRAFT_HOME may tell why.',
    });
  }
}
