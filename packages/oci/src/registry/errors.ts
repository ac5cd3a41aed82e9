import { Fault, codeOf } from '@updraft/kit';

/** The specification's error codes, with the status each has unless said otherwise. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const;

export type WireCode = keyof typeof STATUS;

/** An answer that is an error, as it goes over the wire. Thrown inside the registry, written at its door. */
export class WireError extends Error {
  readonly code: WireCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: WireCode,
    message: string,
    options: { status?: number; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.code = code;
    this.status = options.status ?? STATUS[code];
    this.headers = options.headers ?? {};
  }

  body(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message }] });
  }
}

const FROM_FAULT: Readonly<Record<string, WireCode>> = {
  BLOB_UNKNOWN: 'BLOB_UNKNOWN',
  DIGEST_INVALID: 'DIGEST_INVALID',
  IMAGE_UNSUPPORTED: 'MANIFEST_INVALID',
  MANIFEST_INVALID: 'MANIFEST_INVALID',
  REFERENCE_INVALID: 'NAME_INVALID',
};

/** What a client is told about anything that was thrown; what it should not know is left out. */
export function wireErrorOf(thrown: unknown): WireError {
  if (thrown instanceof WireError) return thrown;
  if (codeOf(thrown) === 'DISK_FULL')
    return new WireError('UNKNOWN', 'no space left on the disk', { status: 507 });
  const code = thrown instanceof Fault ? FROM_FAULT[thrown.code] : undefined;
  if (code !== undefined && thrown instanceof Fault) return new WireError(code, thrown.message);
  return new WireError('UNKNOWN', 'the registry failed; its log says why');
}
