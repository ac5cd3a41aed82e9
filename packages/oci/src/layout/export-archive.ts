import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { replaceFile } from '@updraft/kit';
import { blobPath, hexOf } from '../digest.ts';
import { layerCompression } from '../media-types.ts';
import { shortReference, parseReference } from '../reference.ts';
import { encodeHeader, endOfArchive, padding, plainEntry } from '../tar/writer.ts';
import type { Descriptor, Image, ImageStore, Layer } from '../types.ts';
import { LAYOUT_MARK, contentOf, indexEntry, layoutIndex } from './export-layout.ts';

export interface ExportArchiveOptions {
  /** `docker`: what `docker load` reads, layers uncompressed. `oci`: an OCI image layout in a tar. */
  readonly format: 'docker' | 'oci';
  /** Names with tags, written into the archive. */
  readonly names?: readonly string[];
  /** `docker`: layers as the image's manifest has them. */
  readonly compressed?: boolean;
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
    options.format === 'docker'
      ? dockerMembers(store, image, { ...options, names })
      : ociMembers(store, image, names);
  await replaceFile(file, (handle) => writeMembers(members, handle));
}

type Members = AsyncGenerator<Buffer, void, undefined>;

/** Without streams between: with each piece gone before the next is read, nothing piles up that only a collection frees. */
async function writeMembers(members: Members, handle: FileHandle): Promise<void> {
  for await (const piece of members) await handle.writeFile(piece);
}

async function* dockerMembers(
  store: ImageStore,
  image: Image,
  { names = [], compressed = false }: Pick<ExportArchiveOptions, 'names' | 'compressed'>,
): Members {
  const { config, layers: descriptors } = image.manifest;
  const members = image.layers.map((layer, index) =>
    layerMember(layer, compressed ? descriptors[index] : undefined),
  );
  for (const [file, { layer, descriptor }] of new Map(members.map((member) => [member.file, member]))) {
    yield* descriptor
      ? streamMember(file, descriptor.size, await store.blobs.read(descriptor.digest))
      : streamMember(file, layer.size, await store.layerTar(layer));
  }
  const configFile = `${hexOf(config.digest)}.json`;
  yield* streamMember(configFile, config.size, await store.blobs.read(config.digest));
  const repoTags = names.length > 0 ? names : null;
  const layers = members.map(({ file }) => file);
  yield* textMember(
    'manifest.json',
    JSON.stringify([{ Config: configFile, RepoTags: repoTags, Layers: layers }]),
  );
  yield endOfArchive();
}

const ENDINGS = { none: '.tar', gzip: '.tar.gz', zstd: '.tar.zst' } as const;

/** Without a descriptor the layer is written uncompressed. */
function layerMember(layer: Layer, descriptor: Descriptor | undefined) {
  const compression = descriptor && layerCompression(descriptor.mediaType);
  return {
    file: `${hexOf(descriptor?.digest ?? layer.diffId)}${ENDINGS[compression ?? 'none']}`,
    layer,
    descriptor,
  };
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
