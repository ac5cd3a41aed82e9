import { hash } from 'node:crypto';

/**
 * A strong tag of a text. The gzip form of the same text is another representation and carries `-gzip` inside its tag;
 * both are accepted wherever a client sends a tag back.
 */
export function etagOf(text: string | Buffer): string {
  return `"${hash('sha1', text, 'hex')}"`;
}

export function gzipEtag(etag: string): string {
  return `${etag.slice(0, -1)}-gzip"`;
}

interface Tag {
  readonly weak: boolean;
  readonly value: string;
}

function tagsOf(header: string): Tag[] {
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)].map(([, weak, value = '']) => ({
    weak: weak !== undefined,
    value: `"${value.replace(/-gzip$/, '')}"`,
  }));
}

/** If-None-Match: is what the client has still what there is? Weak comparison, as RFC 9110 wants. */
export function noneMatchHits(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || tagsOf(header).some(({ value }) => value === etag);
}

/** If-Match: may the write go on? Strong comparison: a weak tag never matches. */
export function matchAllows(header: string | undefined, etag: string): boolean {
  if (header === undefined || header.trim() === '*') return true;
  return tagsOf(header).some(({ weak, value }) => !weak && value === etag);
}
