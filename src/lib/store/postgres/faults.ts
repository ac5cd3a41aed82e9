import { errorCode } from '../../error-code.ts';
import { StoreAway, StoreBusy, StoreFull } from '../store.ts';

/** Of the driver and of the operating system: the database is not reached, or has hung up. */
const AWAY =
  /^(?:CONNECTION_\w+|CONNECT_TIMEOUT|ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT)$/;
/** Connection exceptions, shutting down, starting up, too many clients, a standby that may not write. */
const AWAY_STATES = /^(?:08\w{3}|57P0[123]|53300|25006)$/;
/** Statement or lock timeout, deadlock, serialization. */
const BUSY_STATES = /^(?:57014|55P03|40P01|40001)$/;
/** Disk full, out of memory. */
const FULL_STATES = /^(?:53100|53200)$/;

/** The connection was lost: whether the statement took effect is not known. */
export const isAway = (error: unknown): boolean => {
  const code = errorCode(error);
  return AWAY.test(code) || AWAY_STATES.test(code);
};

/** SQLSTATE (PostgreSQL manual, appendix A) and the driver's codes, as the store's own errors. */
export function storeError(error: unknown): unknown {
  const code = errorCode(error);
  if (isAway(error)) return new StoreAway(`the database is away (${code})`, { cause: error });
  if (BUSY_STATES.test(code)) return new StoreBusy(`the database is busy (${code})`, { cause: error });
  if (FULL_STATES.test(code)) return new StoreFull(`the database is full (${code})`, { cause: error });
  return error;
}
