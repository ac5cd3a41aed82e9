import { Fault, messageOf } from '@updraft/kit';
import { ClusterFault } from '../fault.ts';

export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** Kubernetes' answer for "it did not work" (and for a deletion that did). */
export interface KubeStatus {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** What a message names: `pods "a"`, `Deployment.apps "web"`. */
export interface Subject {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** A refusal in Kubernetes' own words; the server sends `status` as it is. */
export class ApiFault extends ClusterFault {
  override readonly name = 'ApiFault';
  readonly status: KubeStatus;
  /** Texts of Warning headers. */
  warnings: readonly string[] = [];

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails & { continue?: string },
  ) {
    super('API_REFUSED', message);
    const { continue: token, ...rest } = details ?? {};
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: token === undefined ? {} : { continue: token },
      status: 'Failure',
      message,
      ...(reason ? { reason } : {}),
      ...(details ? { details: rest } : {}),
      code,
    };
  }
}

function plural(subject: Subject): string {
  return subject.group ? `${subject.plural}.${subject.group}` : subject.plural;
}

function kind(subject: Subject): string {
  return subject.group ? `${subject.kind}.${subject.group}` : subject.kind;
}

/** Details name the plural as `kind`, which is Kubernetes' habit for all but validation errors. */
function details(subject: Subject, name: string): StatusDetails {
  return { name, ...(subject.group ? { group: subject.group } : {}), kind: subject.plural };
}

export function notFound(subject: Subject, name: string): ApiFault {
  return new ApiFault(404, 'NotFound', `${plural(subject)} "${name}" not found`, details(subject, name));
}

export function alreadyExists(subject: Subject, name: string): ApiFault {
  return new ApiFault(
    409,
    'AlreadyExists',
    `${plural(subject)} "${name}" already exists`,
    details(subject, name),
  );
}

export const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(subject: Subject, name: string, why: string = MODIFIED): ApiFault {
  const message = `Operation cannot be fulfilled on ${plural(subject)} "${name}": ${why}`;
  return new ApiFault(409, 'Conflict', message, details(subject, name));
}

export function badRequest(message: string): ApiFault {
  return new ApiFault(400, 'BadRequest', message);
}

export function forbidden(
  subject: Subject,
  name: string,
  why: string,
  causes: readonly StatusCause[] = [],
): ApiFault {
  const message = `${plural(subject)} ${JSON.stringify(name)} is forbidden: ${why}`;
  return new ApiFault(403, 'Forbidden', message, {
    ...details(subject, name),
    ...(causes.length > 0 ? { causes } : {}),
  });
}

export function methodNotAllowed(): ApiFault {
  return new ApiFault(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

export function unsupportedMediaType(accepted: readonly string[]): ApiFault {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new ApiFault(415, 'UnsupportedMediaType', message);
}

export function notAcceptable(): ApiFault {
  const accepted = ['application/json', 'application/yaml'].join(', ');
  return new ApiFault(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`);
}

export function unknownPath(): ApiFault {
  return new ApiFault(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** One thing wrong with an object; `message` is what stands behind the field's path. */
export interface FieldProblem {
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
    | 'FieldValueTooLong'
    | 'FieldValueNotFound'
    | 'FieldValueTooMany';
  readonly field: string;
  readonly message: string;
}

/** @param name undefined for what was not given any */
export function invalid(
  subject: Subject,
  name: string | undefined,
  problems: readonly FieldProblem[],
): ApiFault {
  const lines = problems.map((problem) => `${problem.field}: ${problem.message}`);
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new ApiFault(422, 'Invalid', `${kind(subject)} "${name ?? ''}" is invalid: ${list}`, {
    ...(name ? { name } : {}),
    ...(subject.group ? { group: subject.group } : {}),
    kind: subject.kind,
    causes: problems,
  });
}

export function expired(
  message = 'The resourceVersion for the provided watch is too old.',
  token?: string,
): ApiFault {
  return new ApiFault(410, 'Expired', message, token === undefined ? undefined : { continue: token });
}

export function tooLargeVersion(asked: number, present: number): ApiFault {
  const message = `Timeout: Too large resource version: ${asked}, current: ${present}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return new ApiFault(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
}

/** Any thrown thing as a Status. What was not meant for the client becomes an internal error with its message alone. */
export function statusOf(thrown: unknown): KubeStatus {
  if (thrown instanceof ApiFault) return thrown.status;
  const known = thrown instanceof Fault ? STATUS_OF_CODE[thrown.code] : undefined;
  if (known) return new ApiFault(known[0], known[1], messageOf(thrown)).status;
  const message = `Internal error occurred: ${messageOf(thrown)}`;
  return new ApiFault(500, 'InternalError', message, { causes: [{ message: messageOf(thrown) }] }).status;
}

const STATUS_OF_CODE: Readonly<Record<string, readonly [number, string]>> = {
  ALREADY_EXISTS: [409, 'AlreadyExists'],
  CONFLICT: [409, 'Conflict'],
  NOT_FOUND: [404, 'NotFound'],
  EXPIRED: [410, 'Expired'],
  TOO_LARGE: [413, 'RequestEntityTooLarge'],
};
