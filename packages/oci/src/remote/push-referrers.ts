import { digestOf } from '../digest.ts';
import { canonicalJson, parseJsonObject } from '../json.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from '../manifest.ts';
import type { Descriptor, Digest, ImageStore } from '../types.ts';
import { buffer } from 'node:stream/consumers';
import type { RemoteRepository } from './client.ts';

interface Sending {
  readonly store: ImageStore;
  readonly remote: RemoteRepository;
  readonly sendBlob: (descriptor: Descriptor) => Promise<void>;
}

/**
 * Sends what is attached to an image after it. The image may have another digest there, with its layers compressed:
 * then what is attached says the new one.
 */
export async function pushReferrers(
  { store, remote, sendBlob }: Sending,
  local: Digest,
  sent: Descriptor,
): Promise<void> {
  for (const digest of store.referrers(local)) {
    const original = await buffer(await store.blobs.read(digest));
    if (original.length > MAX_MANIFEST_BYTES) continue;
    const parsed = parseManifest(original);
    // An index of attachments would need all that it names; nothing here makes one.
    if (parsed.kind === 'index') continue;
    for (const descriptor of [parsed.manifest.config, ...parsed.manifest.layers]) await sendBlob(descriptor);
    const bytes = local === sent.digest ? original : withSubject(original, sent);
    await remote.send(
      {
        method: 'PUT',
        path: `manifests/${digestOf(bytes)}`,
        headers: { 'content-type': parsed.links.mediaType },
        body: bytes,
      },
      'what is attached to the image',
    );
  }
}

function withSubject(manifest: Buffer, { mediaType, digest, size }: Descriptor): Buffer {
  const json = parseJsonObject(manifest, 'an attachment');
  return Buffer.from(canonicalJson({ ...json, subject: { mediaType, digest, size } }));
}
