import { once } from 'node:events';
import type { WebSocket } from 'ws';
import type { ApiContext } from '../context.ts';
import { openLogs } from '../logs.ts';
import type { Named } from '../write.ts';

/** Without a protocol the bytes come as they are, too. */
export const LOG_PROTOCOLS = ['binary.k8s.io', 'base64.binary.k8s.io'];

const NORMAL = 1000;
/** So much is under way; the rest waits in the file. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * GET of `pods/NAME/log` by a WebSocket: piece by piece, until the log or the client has ended.
 * @throws ApiFault before anything was answered
 */
export async function serveLog(
  context: ApiContext,
  asked: { readonly named: Named; readonly query: URLSearchParams },
  accept: (use: (socket: WebSocket) => void) => void,
): Promise<void> {
  const output = await openLogs(context, asked.query, asked.named);
  accept((socket) => {
    socket.on('error', () => socket.terminate());
    socket.once('close', () => output.destroy());
    const isText = socket.protocol.startsWith('base64');
    const send = async () => {
      for await (const chunk of output as AsyncIterable<Buffer>) {
        socket.send(isText ? chunk.toString('base64') : chunk);
        if (socket.bufferedAmount > MAX_BUFFERED_BYTES) await drained(socket);
      }
    };
    // A client that goes away is how a followed log ends.
    void send()
      .catch(() => undefined)
      .then(() => socket.close(NORMAL));
  });
}

/** An empty ping is sent when all before it was. */
async function drained(socket: WebSocket): Promise<void> {
  const gone = once(socket, 'close');
  const sent = new Promise((resolve) => socket.ping(undefined, undefined, resolve));
  await Promise.race([sent, gone]);
}
