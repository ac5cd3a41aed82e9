import type { KubeObject } from '../../store/types.ts';
import type { ApiContext } from '../context.ts';
import { carry, portOf } from './port-forward.ts';
import type { SpdyStream } from './spdy/connection.ts';

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

/** Port-forward over SPDY: for each connection the client opens a stream for errors and one for data. */
export function forwardSpdy(context: ApiContext, pod: KubeObject): (stream: SpdyStream) => void {
  const pairs = new Map<string, Pair>();
  return (stream) => {
    const kind = stream.headers.get('streamtype');
    const port = portOf(stream.headers.get('port'));
    const request = stream.headers.get('requestid') ?? '';
    if ((kind !== 'data' && kind !== 'error') || port === undefined) return void stream.destroy();
    const pair = pairs.get(request) ?? {};
    if (pair[kind]) return void stream.destroy();
    pair[kind] = stream;
    pairs.set(request, pair);
    stream.once('close', () => {
      if (pairs.get(request) === pair) pairs.delete(request);
    });
    // Clients say nothing there.
    if (kind === 'error') stream.resume();
    const { data, error } = pair;
    if (!data || !error) return;
    pairs.delete(request);
    void carry(context, pod, { port, data, error });
  };
}
