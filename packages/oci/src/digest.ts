import { createHash } from 'node:crypto';
import { OciFault } from './faults.ts';
import type { Digest } from './types.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** @throws OciFault DIGEST_INVALID for anything but `sha256:` and 64 lower-case hex digits. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw new OciFault(
    'DIGEST_INVALID',
    `${JSON.stringify(shown)} is not a digest (sha256: and 64 hex digits)`,
  );
}

export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The hex digits alone. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
