import { HttpFault } from '../fault.ts';
import { EntryUnreadable, StoreAway, StoreBusy, StoreFull } from '../store/store.ts';

export const JSON_TYPE = 'application/json; charset=UTF-8';

export interface ErrorBody {
  readonly method: string;
  readonly uri: string;
  readonly code: number;
  readonly message: string;
  readonly trace?: string;
}

export function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${traceOf(error.cause)}`;
}

/** Everything that can go wrong -> status and phrase. What the machine said stays in `cause`. */
export function faultOf(error: unknown): HttpFault {
  if (error instanceof HttpFault) return error;
  const cause = error;
  if (error instanceof StoreFull) return new HttpFault(507, 'Insufficient Storage', { cause });
  if (error instanceof StoreBusy || error instanceof StoreAway)
    return new HttpFault(503, 'Service Unavailable', { headers: { 'retry-after': '1' }, cause });
  if (error instanceof EntryUnreadable) return new HttpFault(500, 'Stored entry is damaged', { cause });
  return new HttpFault(500, 'Internal Server Error', { cause });
}

export function errorBody(
  request: { method: string; uri: string },
  fault: HttpFault,
  debug: boolean,
): ErrorBody {
  const body = { method: request.method, uri: request.uri, code: fault.status, message: fault.message };
  return debug ? { ...body, trace: traceOf(fault) } : body;
}
