import { diskFault, readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { blobPath } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { isRecord, parseJsonObject } from '../json.ts';
import { MEDIA } from '../media-types.ts';
import type { Digest, Image, ImageStore } from '../types.ts';

export const LAYOUT_MARK = '{"imageLayoutVersion":"1.0.0"}';
export const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * Writes an image as an OCI image layout into `dir`, which is made when it is not there. A layout that is there gets
 * the image added; one with the same `tag` is replaced in its index. Layers are written as the store has them.
 * @throws OciFault ARCHIVE_INVALID when `dir` holds something else; BLOB_UNKNOWN; Fault DISK_FULL
 */
export async function exportOciLayout(
  store: ImageStore,
  image: Image,
  dir: string,
  tag?: string,
): Promise<void> {
  const content = contentOf(image);
  const folders = new Set(content.map((digest) => path.dirname(path.join(dir, blobPath(digest)))));
  for (const folder of [dir, path.join(dir, 'blobs'), ...folders]) await makeRealFolder(folder);
  const entries = await indexEntries(dir);
  for (const digest of content) await copyBlob(store, digest, path.join(dir, blobPath(digest)));
  await writeFileAtomic(path.join(dir, 'oci-layout'), LAYOUT_MARK);
  const kept = entries.filter((entry) => !isSame(entry, image.digest, tag));
  await writeFileAtomic(
    path.join(dir, 'index.json'),
    layoutIndex([...kept, await indexEntry(store, image, tag)]),
  );
}

/** The digests of everything that belongs to an image, each once, its manifest last. */
export function contentOf({ digest, manifest }: Image): readonly Digest[] {
  return [...new Set([...manifest.layers.map((layer) => layer.digest), manifest.config.digest, digest])];
}

export function layoutIndex(manifests: readonly unknown[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
}

/** What a layout's index says of an image. */
export async function indexEntry(store: ImageStore, image: Image, tag: string | undefined): Promise<object> {
  const { digest, manifest, config } = image;
  return {
    mediaType: manifest.mediaType,
    digest,
    size: await store.blobs.size(digest),
    platform: { architecture: config.architecture, os: config.os },
    ...(tag !== undefined && { annotations: { [REF_NAME]: tag } }),
  };
}

async function makeRealFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // A link would make us write where somebody else wants it.
  if ((await lstat(folder)).isDirectory()) return;
  throw new OciFault('ARCHIVE_INVALID', `${folder} is not a folder of its own`);
}

async function indexEntries(dir: string): Promise<readonly Record<string, unknown>[]> {
  const text = await readTextIfPresent(path.join(dir, 'index.json'));
  if (text === undefined) return [];
  const manifests = parseJsonObject(Buffer.from(text), `${dir}/index.json`)['manifests'];
  return Array.isArray(manifests) ? manifests.filter(isRecord) : [];
}

function isSame(entry: Record<string, unknown>, digest: Digest, tag: string | undefined): boolean {
  const annotations = isRecord(entry['annotations']) ? entry['annotations'] : {};
  const name = annotations[REF_NAME];
  return tag === undefined ? name === undefined && entry['digest'] === digest : name === tag;
}

async function copyBlob(store: ImageStore, digest: Digest, target: string): Promise<void> {
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    // Read, not cloned: what is damaged must not get out of the store.
    await pipeline(await store.blobs.read(digest), createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskFault(error, target);
  }
}
