import { digestLike, digestOf, isDigest } from '../digest.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from '../manifest.ts';
import type { ManifestLinks } from '../manifest.ts';
import { formatReference, isTag } from '../reference.ts';
import type { Digest } from '../types.ts';
import { WireError } from './errors.ts';
import { fullName, readBody, reply } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/** GET and HEAD /v2/NAME/manifests/REFERENCE */
export async function readManifest(exchange: Exchange): Promise<void> {
  const { store, request, response } = exchange;
  const digest = resolve(exchange);
  const record = store.records.manifest(fullName(exchange), digest);
  if (!record || (await store.blobs.size(digest)) === undefined) throw unknown();
  const headers = {
    'content-type': record.mediaType,
    'content-length': record.size,
    'docker-content-digest': digest,
  };
  const body =
    request.method === 'HEAD' ? undefined : await store.blobs.readSmall(digest, MAX_MANIFEST_BYTES);
  response.writeHead(200, { ...headers, etag: `"${digest}"` });
  response.end(body);
}

/** PUT /v2/NAME/manifests/REFERENCE */
export async function writeManifest(exchange: Exchange): Promise<void> {
  const { store, host, route } = exchange;
  const bytes = await readBody(exchange, MAX_MANIFEST_BYTES);
  const digest = isDigest(route.item) ? digestLike(route.item, bytes) : digestOf(bytes);
  checkReference(route.item, digest);
  const tags = wantedTags(exchange);
  const { links } = parseManifest(bytes, contentType(exchange));
  if (contentType(exchange) !== undefined && contentType(exchange) !== links.mediaType) {
    throw new WireError('MANIFEST_INVALID', 'the manifest says another media type than the request');
  }
  await checkContent(exchange, links);
  await store.blobs.write(bytes, digest);
  const name = { registry: host, repository: route.repository };
  if (tags.length === 0) await store.link(name, digest, store.clock.now());
  for (const tag of tags) await store.tag(formatReference({ ...name, tag, digest: undefined }), digest);
  reply(exchange, 201, {
    ...(tags.length > 0 && { 'oci-tag': tags.join(', ') }),
    location: `/v2/${route.repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(links.subject && { 'oci-subject': links.subject }),
  });
}

/** DELETE /v2/NAME/manifests/REFERENCE: of a tag only the tag, of a digest the manifest and its tags. */
export function deleteManifest(exchange: Exchange): void {
  const { store, host, route } = exchange;
  const digest = resolve(exchange);
  if (!store.records.manifest(fullName(exchange), digest)) throw unknown();
  if (isDigest(route.item)) store.records.removeManifest(host, route.repository, digest);
  else store.records.removeName(host, route.repository, route.item);
  reply(exchange, 202);
}

function resolve({ store, host, route }: Exchange): Digest {
  if (isDigest(route.item)) return route.item;
  if (route.item.includes(':'))
    throw new WireError(
      'DIGEST_INVALID',
      'this is not a digest (sha256: and 64 hex digits, or sha512: and 128)',
    );
  const digest = isTag(route.item) ? store.records.name(host, route.repository, route.item) : undefined;
  if (digest === undefined) throw unknown();
  return digest;
}

/** A manifest is put under a tag, or under its digest and any number of tags beside (`?tag=`). */
function wantedTags({ route, query }: Exchange): readonly string[] {
  const tags = query.getAll('tag');
  if (!tags.every(isTag)) throw new WireError('MANIFEST_INVALID', 'a tag is not well formed');
  return isDigest(route.item) ? tags : [route.item, ...tags];
}

function checkReference(reference: string, found: Digest): void {
  if (isTag(reference)) return;
  if (!isDigest(reference)) {
    const code = reference.includes(':') ? 'DIGEST_INVALID' : 'MANIFEST_INVALID';
    throw new WireError(code, 'a manifest is put under a tag or under its digest');
  }
  if (reference !== found) throw new WireError('DIGEST_INVALID', `the manifest’s digest is ${found}`);
}

/** What a manifest names must be in its repository: knowing a digest is no right to the content. */
async function checkContent(exchange: Exchange, links: ManifestLinks): Promise<void> {
  const { store } = exchange;
  for (const digest of links.blobs) {
    const here =
      store.records.hasBlob(fullName(exchange), digest) && (await store.blobs.size(digest)) !== undefined;
    if (!here) throw new WireError('MANIFEST_BLOB_UNKNOWN', `the repository has no blob ${digest}`);
  }
}

function contentType({ request }: Exchange): string | undefined {
  return request.headers['content-type']?.split(';')[0]?.trim();
}

function unknown(): WireError {
  return new WireError('MANIFEST_UNKNOWN', 'the repository has no such manifest');
}
