import { request } from 'node:http';
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
          resolve({ status: response.statusCode ?? 500, body: response });
        });
        outgoing.end(body);
      }),
  };
}
