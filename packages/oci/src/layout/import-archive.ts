import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { decompress } from '../compression.ts';
import { OciFault } from '../faults.ts';
import { canonicalJson, isRecord } from '../json.ts';
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parseConfig } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import type { Compression } from '../media-types.ts';
import { unpackLayer } from '../tar/unpack.ts';
import type { Descriptor, DiffId, Image, ImageStore } from '../types.ts';
import { hasInside, openInside, readInside } from './files.ts';
import { importEntry, layoutEntries } from './import-layout.ts';

/** An image of an archive, and the names it had there. Naming it in the store is the caller's choice. */
export interface ImportedImage {
  readonly image: Image;
  readonly names: readonly string[];
}

/**
 * Takes all images of a tar file into the store: of `docker save`, or an OCI layout in a tar; either may be compressed.
 * Everything is verified against the digests the archive's configs and manifests name. Needs root, as layers do.
 * @throws OciFault ARCHIVE_INVALID, DIGEST_INVALID, MANIFEST_INVALID, LAYER_*
 */
export async function importArchive(store: ImageStore, file: string): Promise<readonly ImportedImage[]> {
  const folder = await store.scratch('archive');
  try {
    await unpackLayer(await plainTar(file), folder);
    if (await hasInside(folder, 'oci-layout')) return await importLayout(store, folder);
    return await importDocker(store, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function importLayout(store: ImageStore, folder: string): Promise<readonly ImportedImage[]> {
  const found = new Map<string, { image: Image; names: string[] }>();
  for (const { digest, annotations } of await layoutEntries(folder)) {
    const known = found.get(digest) ?? { image: await importEntry(store, folder, digest), names: [] };
    found.set(digest, known);
    // containerd and Docker keep the whole name apart, and only the tag in the standard place.
    const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
    if (typeof name === 'string') known.names.push(name);
  }
  return [...found.values()];
}

async function importDocker(store: ImageStore, folder: string): Promise<readonly ImportedImage[]> {
  const text = (await readInside(folder, 'manifest.json', MAX_MANIFEST_BYTES)).toString('utf8');
  const imported: ImportedImage[] = [];
  for (const item of parseList(text)) {
    const names = Array.isArray(item['RepoTags'])
      ? item['RepoTags'].filter((tag) => typeof tag === 'string')
      : [];
    imported.push({ image: await importDockerImage(store, folder, item), names });
  }
  return imported;
}

function parseList(text: string): readonly Record<string, unknown>[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new OciFault('ARCHIVE_INVALID', 'its manifest.json is not JSON', { cause: error });
  }
  if (Array.isArray(list) && list.every(isRecord)) return list;
  throw new OciFault('ARCHIVE_INVALID', 'its manifest.json is not a list of images');
}

async function importDockerImage(
  store: ImageStore,
  folder: string,
  item: Record<string, unknown>,
): Promise<Image> {
  const { Config: configName, Layers: files } = item;
  if (typeof configName !== 'string' || !Array.isArray(files)) {
    throw new OciFault('ARCHIVE_INVALID', 'its manifest.json names no config or no layers');
  }
  const configBytes = await readInside(folder, configName, MAX_CONFIG_BYTES);
  const diffIds = parseConfig(configBytes).rootfs.diff_ids;
  if (diffIds.length !== files.length)
    throw new OciFault('ARCHIVE_INVALID', 'its config and its list of layers do not fit');
  const layers: Descriptor[] = [];
  for (const [index, diffId] of diffIds.entries())
    layers.push(await importLayer(store, folder, String(files[index]), diffId));
  const config = { mediaType: MEDIA.ociConfig, ...(await store.blobs.write(configBytes)) };
  const manifest = canonicalJson({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers });
  const image = await store.get((await store.blobs.write(Buffer.from(manifest))).digest);
  if (!image) throw new OciFault('BLOB_UNKNOWN', 'the image was removed while it was read');
  return image;
}

async function importLayer(
  store: ImageStore,
  folder: string,
  name: string,
  diffId: DiffId,
): Promise<Descriptor> {
  const known = await store.blobs.size(diffId);
  if (known !== undefined) return { mediaType: MEDIA.ociLayer, digest: diffId, size: known };
  const handle = await openInside(folder, name);
  const compression = await compressionOf(handle);
  const tar = await decompress(handle.createReadStream({ start: 0, highWaterMark: 256 * 1024 }), compression);
  const { digest, size } = await store.blobs.write(tar, diffId);
  return { mediaType: MEDIA.ociLayer, digest, size };
}

async function plainTar(file: string): Promise<Readable> {
  const handle = await open(file, 'r');
  const compression = await compressionOf(handle);
  return await decompress(handle.createReadStream({ start: 0, highWaterMark: 256 * 1024 }), compression);
}

async function compressionOf(handle: FileHandle): Promise<Compression> {
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  if (buffer[0] === 0x1f && buffer[1] === 0x8b) return 'gzip';
  return buffer.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : 'none';
}
