import { codeOf, messageOf } from '@updraft/kit';
import type { Dispatcher } from 'undici';
import { OciFault } from '../faults.ts';
import { isRecord } from '../json.ts';

const ERROR_BODY_BYTES = 16 * 1024;
const MAX_DELAY_MS = 2 * 60_000;

/** The registry never heard us: asking again at once would not help, and waiting holds everything up. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const BROKEN_OFF = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

const BUSY = new Set([408, 429, 500, 502, 503, 504]);

/** An answer with an error status: what the registry said, in a few words. */
export class StatusError extends Error {
  readonly status: number;
  /** As the registry says it: seconds, or a date. */
  readonly retryAfter: string | undefined;

  constructor(status: number, message: string, retryAfter?: string) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The registry wanted other credentials than those that were sent; they are there now. */
export class SignedInAgain extends Error {
  override readonly name = 'SignedInAgain';
}

/** Reads a short part of an error's body and throws the body away. */
export async function statusError(response: Dispatcher.ResponseData): Promise<StatusError> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= ERROR_BODY_BYTES) break;
    }
  } catch {
    // The status alone says enough.
  }
  const words = wordsOf(Buffer.concat(chunks).subarray(0, ERROR_BODY_BYTES).toString('utf8'));
  const retryAfter = response.headers['retry-after'];
  return new StatusError(response.statusCode, words, typeof retryAfter === 'string' ? retryAfter : undefined);
}

/** How long to wait before the next try; undefined when another try makes no sense. */
export function retryDelayMs(error: unknown, attempt: number, nowMs: number): number | undefined {
  // Not all at the same moment, when many were sent away at the same moment.
  const backoff = 500 * 2 ** attempt * (0.75 + Math.random() / 2);
  if (error instanceof SignedInAgain) return 0;
  if (error instanceof StatusError)
    return BUSY.has(error.status) ? patient(retryAfterMs(error.retryAfter, nowMs) ?? backoff) : undefined;
  const code = deepCode(error);
  return code !== undefined && BROKEN_OFF.has(code) ? backoff : undefined;
}

/** Whoever asks us to come back in an hour is told to the user at once. */
const patient = (delayMs: number): number | undefined => (delayMs <= MAX_DELAY_MS ? delayMs : undefined);

function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,6}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The fault for anything that a request to a registry ended with. */
export function faultOf(error: unknown, what: string, registry: string): unknown {
  if (error instanceof StatusError) return statusFault(error, what, registry);
  const code = deepCode(error);
  if (code === undefined || error instanceof OciFault) return error;
  const trust =
    code.startsWith('ERR_TLS') || code.includes('CERT') || code.includes('SSL') || code === 'EPROTO';
  if (!UNREACHABLE.has(code) && !BROKEN_OFF.has(code) && !trust) return error;
  return new OciFault(
    'REGISTRY_UNREACHABLE',
    `cannot reach the registry ${registry} for ${what}: ${messageOf(error)}`,
    {
      cause: error,
      next: trust
        ? 'Check the registry’s certificate, or mark the registry as insecure if it speaks plain HTTP.'
        : 'Check the network connection and the name of the registry.',
    },
  );
}

function statusFault(error: StatusError, what: string, registry: string): OciFault {
  const said = error.message === '' ? '' : `: ${error.message}`;
  if (error.status === 401 || error.status === 403) {
    return new OciFault('UNAUTHORIZED', `${registry} does not give access to ${what}${said}`, {
      cause: error,
      next: 'Check the name of the image, and the user name and password for the registry.',
    });
  }
  if (error.status === 404) {
    const next = 'Check the name and the tag of the image.';
    return new OciFault('IMAGE_NOT_FOUND', `${registry} says "not found" for ${what}${said}`, {
      cause: error,
      next,
    });
  }
  return new OciFault('REGISTRY_FAILED', `${registry} answered with ${error.status} for ${what}${said}`, {
    cause: error,
    ...(error.status === 429 && {
      next: 'The registry limits how often it may be asked: wait, or sign in with `updraft image login`.',
    }),
  });
}

/** undici wraps what the system said. */
function deepCode(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code !== undefined) return code;
  if (error instanceof AggregateError) return deepCode(error.errors[0]);
  return error instanceof Error && error.cause !== undefined ? deepCode(error.cause) : undefined;
}

/** Registries answer with a list of errors; proxies in front of them with a page, which is of no use to anybody. */
function wordsOf(body: string): string {
  try {
    const json: unknown = JSON.parse(body);
    const errors = isRecord(json) && Array.isArray(json['errors']) ? json['errors'] : [];
    const words = errors.filter(isRecord).map(({ code, message }) => message ?? code);
    return words
      .filter((word) => typeof word === 'string')
      .join('; ')
      .replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, ' ')
      .slice(0, 300);
  } catch {
    return '';
  }
}
