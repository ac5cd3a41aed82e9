import { diskFault } from '@updraft/kit';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { blobPath, hexOf } from '../digest.ts';
import { shortReference, parseReference } from '../reference.ts';
import { encodeHeader, endOfArchive, padding, plainEntry } from '../tar/writer.ts';
import type { Digest, Image, ImageStore } from '../types.ts';
import { LAYOUT_MARK, contentOf, indexEntry, layoutIndex } from './export-layout.ts';

export interface ExportArchiveOptions {
  /** `docker`: what `docker load` reads, layers uncompressed. `oci`: an OCI image layout in a tar. */
  readonly format: 'docker' | 'oci';
  /** Names with tags, written into the archive. */
  readonly names?: readonly string[];
}

/**
 * Writes an image as one tar file, which appears whole or not at all. The same image and names give the same bytes.
 * @throws OciFault REFERENCE_INVALID, BLOB_UNKNOWN; Fault DISK_FULL
 */
export async function exportArchive(
  store: ImageStore,
  image: Image,
  file: string,
  options: ExportArchiveOptions,
): Promise<void> {
  const names = (options.names ?? []).map((name) => shortReference(parseReference(name)));
  const members =
    options.format === 'docker' ? dockerMembers(store, image, names) : ociMembers(store, image, names);
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await pipeline(
      Readable.from(members, { objectMode: false }),
      createWriteStream(temporary, { flags: 'wx' }),
    );
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskFault(error, file);
  }
}

type Members = AsyncGenerator<Buffer, void, undefined>;

async function* dockerMembers(store: ImageStore, image: Image, names: readonly string[]): Members {
  const config = `${hexOf(image.manifest.config.digest)}.json`;
  for (const [diffId, layer] of new Map(image.layers.map((layer) => [layer.diffId, layer]))) {
    yield* streamMember(layerFile(diffId), layer.size, await store.layerTar(layer));
  }
  const configDigest = image.manifest.config.digest;
  yield* streamMember(config, image.manifest.config.size, await store.blobs.read(configDigest));
  const layers = image.layers.map((layer) => layerFile(layer.diffId));
  const repoTags = names.length > 0 ? names : null;
  yield* textMember(
    'manifest.json',
    JSON.stringify([{ Config: config, RepoTags: repoTags, Layers: layers }]),
  );
  yield endOfArchive();
}

async function* ociMembers(store: ImageStore, image: Image, names: readonly string[]): Members {
  yield* textMember('oci-layout', LAYOUT_MARK);
  for (const digest of contentOf(image)) {
    yield* streamMember(
      blobPath(digest),
      (await store.blobs.size(digest)) ?? 0,
      await store.blobs.read(digest),
    );
  }
  const tags: readonly (string | undefined)[] = names.length > 0 ? names : [undefined];
  const entries = await Promise.all(tags.map((tag) => indexEntry(store, image, tag)));
  yield* textMember('index.json', layoutIndex(entries));
  yield endOfArchive();
}

function layerFile(diffId: Digest): string {
  return `${hexOf(diffId)}.tar`;
}

async function* streamMember(name: string, size: number, body: Readable): Members {
  yield encodeHeader(plainEntry(name, 'file', { size }));
  for await (const chunk of body as AsyncIterable<Buffer>) yield chunk;
  yield padding(size);
}

function* textMember(name: string, text: string): Generator<Buffer> {
  const body = Buffer.from(text);
  yield encodeHeader(plainEntry(name, 'file', { size: body.length }));
  yield body;
  yield padding(body.length);
}
