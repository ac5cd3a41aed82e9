import { createHash } from 'node:crypto';
import path from 'node:path';
import { OciFault } from './faults.ts';
import type { DiffId, Digest } from './types.ts';

const SHA256 = /^sha256:[0-9a-f]{64}$/;
const SHA512 = /^sha512:[0-9a-f]{128}$/;

/** The algorithms that content may be named by; the first is the one that everything here is named by. */
export const ALGORITHMS = ['sha256', 'sha512'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export function isDigest(text: string): text is Digest {
  return SHA256.test(text) || SHA512.test(text);
}

/** What layers are called in configs, and the name under which the store keeps everything. */
export function isSha256(text: string): text is DiffId {
  return SHA256.test(text);
}

/** @throws OciFault DIGEST_INVALID for anything but `sha256:` and 64, or `sha512:` and 128 lower-case hex digits. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const shown = text.length > 150 ? `${text.slice(0, 150)}…` : text;
  throw new OciFault(
    'DIGEST_INVALID',
    `${JSON.stringify(shown)} is not a digest (sha256: and 64 hex digits, or sha512: and 128)`,
  );
}

export function digestOf(content: Uint8Array | string): DiffId {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The digest of content by the algorithm that another digest was made with. */
export function digestLike(other: Digest, content: Uint8Array): Digest {
  const algorithm = algorithmOf(other);
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hex digits alone. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Where the blob lies in an OCI image layout, which is how the store lays out its own blobs. */
export function blobPath(digest: Digest): string {
  return path.posix.join('blobs', algorithmOf(digest), hexOf(digest));
}
