import { connect, constants } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { Clock } from '@updraft/kit';

/** How a server of the standard health protocol answered; `grpcStatus` is 0 when the call itself went well. */
export type GrpcHealth =
  | {
      readonly kind: 'answered';
      readonly serving: number;
      readonly grpcStatus: number;
      readonly message: string;
    }
  | { readonly kind: 'unreachable'; readonly error: NodeJS.ErrnoException }
  | { readonly kind: 'timeout' };

const METHOD = '/grpc.health.v1.Health/Check';
/** `HealthCheckRequest.service` and `HealthCheckResponse.status`, both the first field. */
const SERVICE_TAG = 0x0a;
const STATUS_TAG = 0x08;
const HEADER_BYTES = 5;
const MAX_ANSWER = 4096;

/** Asks a server for its health, once, without TLS: as the kubelet does. */
export function askHealth(
  at: { readonly host: string; readonly port: number; readonly service: string },
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<GrpcHealth> {
  return new Promise((resolve) => {
    const session = connect(`http://${at.host}:${at.port}`);
    const cancel = clock.timer(timeoutMs, () => finish({ kind: 'timeout' }));
    // The request's error says that the session has one.
    const fail = (error: NodeJS.ErrnoException) =>
      finish({ kind: 'unreachable', error: error.cause instanceof Error ? error.cause : error });
    session.on('error', fail);
    const request = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: METHOD,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
      [constants.HTTP2_HEADER_USER_AGENT]: 'kube-probe/1.35',
    });
    request.on('error', fail);
    let answer = Buffer.alloc(0);
    let status: IncomingHttpHeaders = {};
    request.on('data', (chunk: Buffer) => {
      if (answer.length < MAX_ANSWER) answer = Buffer.concat([answer, chunk]);
    });
    // A call that fails at once has its status in the headers, else it comes behind the answer.
    request.on('response', (headers) => (status = { ...status, ...headers }));
    request.on('trailers', (headers) => (status = { ...status, ...headers }));
    request.on('end', () =>
      finish({
        kind: 'answered',
        serving: servingStatus(answer),
        grpcStatus: Number(status['grpc-status'] ?? 2),
        message: [status['grpc-message'] ?? ''].join(),
      }),
    );
    request.end(frame(at.service));
    function finish(result: GrpcHealth): void {
      cancel();
      session.destroy();
      resolve(result);
    }
  });
}

function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG]), varint(name.length), name]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

function varint(number: number): Buffer {
  const bytes: number[] = [];
  for (let rest = number; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** 0 UNKNOWN, 1 SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN; an empty message is UNKNOWN. */
function servingStatus(answer: Buffer): number {
  const message = answer.subarray(HEADER_BYTES);
  return message[0] === STATUS_TAG ? (message[1] ?? 0) : 0;
}
