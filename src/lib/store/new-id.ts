import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
/** Asking the kernel costs the same for many bytes as for a few. */
const pool = Buffer.alloc(ID_BYTES * 256);
let used = pool.length;

/** 128 random bits as 32 hexadecimal digits, never the same and not to be guessed. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('hex', used - ID_BYTES, used);
}
