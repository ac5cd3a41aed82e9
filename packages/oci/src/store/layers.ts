import { KeyedLock, Semaphore, codeOf } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { chmod, chown, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { compress, decompress, levelOf } from '../compression.ts';
import { hexOf } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { MEDIA, layerCompression } from '../media-types.ts';
import { Meter, Verifier, chain } from '../streams.ts';
import { packLayer } from '../tar/pack.ts';
import { unpackLayer } from '../tar/unpack.ts';
import type { Descriptor, DiffId, Digest, Layer, LayerForm } from '../types.ts';
import { unknownBlob } from './blobs.ts';
import type { FileBlobs } from './blobs.ts';
import type { StoreFolders } from './folders.ts';
import type { LayerSource, Records } from './records.ts';

const UNPACK_AT_ONCE = 3;

interface LayerParts {
  readonly folders: StoreFolders;
  readonly blobs: FileBlobs;
  readonly records: Records;
  readonly clock: Clock;
}

/** To the minute is exact enough for what was used last. */
const USE_STEP_MS = 60_000;

/** Layers in their three forms: the tar (a blob), compressed tars (blobs too), and the unpacked folder. */
export class Layers {
  readonly #folders: StoreFolders;
  readonly #blobs: FileBlobs;
  readonly #records: Records;
  readonly #lock = new KeyedLock();
  readonly #unpacking = new Semaphore(UNPACK_AT_ONCE);

  readonly #clock: Clock;
  /** When this process has used each layer, manifest and config, as it was written down. */
  readonly #used = new Map<Digest, number>();

  constructor({ folders, blobs, records, clock }: LayerParts) {
    this.#folders = folders;
    this.#blobs = blobs;
    this.#records = records;
    this.#clock = clock;
  }

  /** Layers, manifests and configs that this process has used. */
  usedHere(): readonly Digest[] {
    return [...this.#used.keys()];
  }

  /**
   * Where the unpacked folder lies, or will. 128 bits of the digest in 22 characters: all lower folders of an overlay
   * must fit into one page of mount options, and still nobody can make two layers that meet there.
   */
  folderPath(diffId: DiffId): string {
    return path.join(this.#folders.layers, shortName(diffId));
  }

  /** Notes that a manifest from elsewhere says this blob is that layer; believed only when it was unpacked. */
  announce(diffId: DiffId, descriptor: Descriptor): void {
    const compression = layerCompression(descriptor.mediaType);
    if (compression === undefined || compression === 'none') return;
    const { digest: blob, mediaType, size: blobSize } = descriptor;
    this.#records.addSource({ diffId, blob, mediaType, blobSize, layerSize: undefined, origin: 'received' });
  }

  /**
   * The layer, when its content is in the store. One that came compressed is unpacked for it the first time.
   * @throws OciFault BLOB_UNKNOWN; DIGEST_INVALID when the content is not what its diff id says
   */
  async layer(diffId: DiffId): Promise<Layer> {
    this.use(diffId);
    const known = await this.#knownSize(diffId);
    if (known !== undefined) return { diffId, size: known };
    await this.folder(diffId);
    const size = await this.#knownSize(diffId);
    if (size === undefined) throw unknownBlob(diffId);
    return { diffId, size };
  }

  /** The unpacked folder, made when it is not there. Calls at the same time share the work. */
  async folder(diffId: DiffId): Promise<string> {
    this.use(diffId);
    const folder = this.folderPath(diffId);
    this.#blobs.touches.note(path.basename(folder));
    if (await isThere(folder)) return folder;
    return await this.#lock.use(diffId, async () => {
      if (!(await isThere(folder))) await this.#unpacking.use(() => this.#unpack(diffId, folder));
      return folder;
    });
  }

  /** The uncompressed tar, verified while it is read. */
  async tar(diffId: DiffId): Promise<Readable> {
    if ((await this.#blobs.size(diffId)) !== undefined) return await this.#blobs.read(diffId);
    const source = await this.#firstPresent(diffId);
    if (!source) throw unknownBlob(diffId);
    return chain(await this.#open(source), new Verifier(diffId, 'a layer'));
  }

  /** See ImageStore.commitLayer. */
  async commit(folder: string, options: { timestampMs: number }): Promise<Layer | undefined> {
    if ((await readdir(folder)).length === 0) {
      await rm(folder, { recursive: true });
      return undefined;
    }
    const { digest, size } = await this.#blobs.write(await packLayer(folder, options));
    await this.#lock.use(digest, () => this.#takeOver(folder, digest));
    this.use(digest);
    return { diffId: digest, size };
  }

  /** The form of a layer that an image made here names: as the image below has it, else uncompressed. */
  async descriptor({ diffId, received }: Layer): Promise<Descriptor> {
    this.use(diffId);
    const sources = this.#records.sources(diffId);
    const own = sources.find(({ blob }) => blob === received?.digest);
    if (own && (await this.#isHere(own)) && (await this.#isProven(own))) return ociDescriptor(own);
    const size = await this.#blobs.size(diffId);
    if (size !== undefined) return { mediaType: MEDIA.ociLayer, digest: diffId, size };
    for (const source of sources)
      if ((await this.#isHere(source)) && (await this.#isProven(source))) return ociDescriptor(source);
    throw unknownBlob(diffId);
  }

  /** A manifest from elsewhere may say anything of a layer that was here before, so that nothing had to be unpacked. */
  async #isProven(source: LayerSource): Promise<boolean> {
    const { diffId, blob } = source;
    if (source.layerSize !== undefined) return true;
    const meter = new Meter();
    try {
      await finished(chain(await this.#open(source), meter).resume());
    } catch (error) {
      if (!(error instanceof OciFault)) throw error;
    }
    if (meter.digest === diffId) this.#records.addSource({ ...source, layerSize: meter.size });
    else this.#records.removeSource(diffId, blob);
    return meter.digest === diffId;
  }

  /** See ImageStore.compressed. At a level of its own it is made anew: nobody knows how what is there was made. */
  async compressed(layer: Layer, form: LayerForm = { kind: 'gzip' }): Promise<Descriptor> {
    const { diffId, received } = layer;
    const { kind, level } = form;
    if (
      received &&
      layerCompression(received.mediaType) === kind &&
      (await this.#isHere({ blob: received.digest }))
    )
      return received;
    return await this.#lock.use(`${kind} ${level ?? ''} ${diffId}`, async () => {
      for (const source of level === undefined ? this.#records.sources(diffId) : []) {
        const fits = source.origin === 'made' && layerCompression(source.mediaType) === kind;
        if (fits && (await this.#isHere(source))) return ociDescriptor(source);
      }
      return await this.#compress(layer, form);
    });
  }

  async #compress({ diffId, size: layerSize }: Layer, form: LayerForm): Promise<Descriptor> {
    levelOf(form);
    const { digest: blob, size: blobSize } = await this.#blobs.write(
      await compress(await this.tar(diffId), form),
    );
    const mediaType = form.kind === 'gzip' ? MEDIA.ociLayerGzip : MEDIA.ociLayerZstd;
    if (form.level === undefined)
      this.#records.addSource({ diffId, blob, mediaType, blobSize, layerSize, origin: 'made' });
    return { mediaType, digest: blob, size: blobSize };
  }

  async #isHere({ blob }: { readonly blob: Digest }): Promise<boolean> {
    return (await this.#blobs.size(blob)) !== undefined;
  }

  /** Notes that a layer, a manifest or a config is of use now. */
  use(digest: Digest): void {
    const now = this.#clock.now();
    if (now - (this.#used.get(digest) ?? -Infinity) < USE_STEP_MS) return;
    this.#used.set(digest, now);
    try {
      this.#records.setUsed(digest, now);
    } catch (error) {
      // On a full disk what is there can still be read, and pruned.
      if (codeOf(error) !== 'DISK_FULL') throw error;
    }
  }

  async #knownSize(diffId: DiffId): Promise<number | undefined> {
    const asBlob = await this.#blobs.size(diffId);
    if (asBlob !== undefined) return asBlob;
    for (const { blob, layerSize } of this.#records.sources(diffId)) {
      if (layerSize !== undefined && (await this.#blobs.size(blob)) !== undefined) return layerSize;
    }
    return undefined;
  }

  async #firstPresent(diffId: DiffId): Promise<LayerSource | undefined> {
    const sources = this.#records.sources(diffId);
    // Those that were found to be right before come first.
    for (const source of sources.toSorted((a, b) => (b.layerSize ?? 0) - (a.layerSize ?? 0))) {
      if ((await this.#blobs.size(source.blob)) !== undefined) return source;
    }
    return undefined;
  }

  async #open({ blob, mediaType }: LayerSource): Promise<Readable> {
    return await decompress(await this.#blobs.read(blob), layerCompression(mediaType) ?? 'none');
  }

  async #unpack(diffId: DiffId, folder: string): Promise<void> {
    if ((await this.#blobs.size(diffId)) !== undefined) {
      return await this.#unpackFrom(await this.#blobs.read(diffId), folder);
    }
    const source = await this.#firstPresent(diffId);
    if (!source) throw unknownBlob(diffId);
    const meter = new Verifier(diffId, `the layer in ${source.blob}`);
    try {
      await this.#unpackFrom(chain(await this.#open(source), meter), folder);
    } catch (error) {
      // A wrong claim must not stand in the way of a right one that comes later.
      if (codeOf(error) === 'DIGEST_INVALID') this.#records.removeSource(diffId, source.blob);
      throw error;
    }
    this.#records.addSource({ ...source, layerSize: meter.size });
  }

  async #unpackFrom(tar: Readable, folder: string): Promise<void> {
    const temporary = await mkdtemp(path.join(this.#folders.tmp, 'layer-'));
    try {
      await unpackLayer(tar, temporary);
      await moveFolder(temporary, folder);
    } finally {
      tar.destroy();
      await rm(temporary, { recursive: true, force: true });
    }
  }

  async #takeOver(folder: string, diffId: DiffId): Promise<void> {
    const target = this.folderPath(diffId);
    this.#blobs.touches.note(path.basename(target));
    if (await isThere(target)) return await rm(folder, { recursive: true });
    // As it would be unpacked: a layer says nothing about the root folder itself.
    await chmod(folder, 0o755);
    await chown(folder, 0, 0);
    await moveFolder(folder, target);
  }
}

/** 22 characters that stand for a layer, see `folderPath`. */
export function shortName(diffId: DiffId): string {
  return Buffer.from(hexOf(diffId).slice(0, 32), 'hex').toString('base64url');
}

function ociDescriptor({ blob, mediaType, blobSize }: LayerSource): Descriptor {
  const type = layerCompression(mediaType) === 'zstd' ? MEDIA.ociLayerZstd : MEDIA.ociLayerGzip;
  return { mediaType: type, digest: blob, size: blobSize };
}

async function isThere(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Another process may have been faster with the same content: that is as good. */
async function moveFolder(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return await rm(from, { recursive: true, force: true });
    if (code !== 'EXDEV') throw error;
    throw new OciFault('LAYER_UNSUPPORTED', `${from} is on another file system than the image store`, {
      cause: error,
      next: 'Make the folder with ImageStore.scratch.',
    });
  }
}
