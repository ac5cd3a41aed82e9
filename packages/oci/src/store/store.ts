import { Semaphore } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { isDigest } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { formatReference, parseReference } from '../reference.ts';
import type {
  Descriptor,
  Digest,
  Image,
  ImageConfig,
  ImageStore,
  ImageSummary,
  Layer,
  LayerForm,
  PruneOptions,
  Reference,
} from '../types.ts';
import { FileBlobs, unknownBlob } from './blobs.ts';
import { makeScratch, openFolders } from './folders.ts';
import type { StoreFolders } from './folders.ts';
import { Images } from './images.ts';
import { Layers } from './layers.ts';
import { prune } from './prune.ts';
import { Records } from './records.ts';

/** What a store is made with. */
export interface StoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens the store in `dir`, or makes one there, and sweeps what processes that are gone left half done.
 * The layers need root (owners, devices, trusted attributes); everything else does not.
 */
export async function openImageStore(dir: string, options: StoreOptions): Promise<LocalImageStore> {
  return new LocalImageStore(await openFolders(dir), options);
}

type RepositoryName = Pick<Reference, 'registry' | 'repository'>;

/** The ImageStore of one folder. The parts beside that interface are for the registry, which shows the same content. */
export class LocalImageStore implements ImageStore {
  readonly dir: string;
  readonly blobs: FileBlobs;
  readonly records: Records;
  readonly images: Images;
  readonly clock: Clock;
  readonly #folders: StoreFolders;
  readonly #layers: Layers;
  readonly #logger: Logger;
  readonly #addresses = new Map<string, string>();
  readonly #pruning = new Semaphore(1);

  constructor(folders: StoreFolders, { clock, logger }: StoreOptions) {
    this.dir = folders.dir;
    this.clock = clock;
    this.#logger = logger;
    this.#folders = folders;
    this.blobs = new FileBlobs(folders);
    this.records = new Records(path.join(folders.dir, 'index.db'));
    this.#layers = new Layers({ folders, blobs: this.blobs, records: this.records, clock });
    this.images = new Images(this.blobs, this.#layers);
  }

  /** From now on `address` (`127.0.0.1:5000`) in a name means the registry that this store knows by another name. */
  addAddress(address: string, registry: string): void {
    this.#addresses.set(address, registry);
  }

  parse(name: string): Reference {
    const reference = parseReference(name);
    return { ...reference, registry: this.#addresses.get(reference.registry) ?? reference.registry };
  }

  async get(reference: string): Promise<Image | undefined> {
    const digest = this.resolve(reference);
    return digest && (await this.images.get(digest));
  }

  /** The digest a name stands for, be it an image, an index or an artifact. */
  resolve(reference: string): Digest | undefined {
    if (isDigest(reference)) return reference;
    const { registry, repository, tag, digest } = this.parse(reference);
    return digest ?? this.records.name(registry, repository, tag ?? 'latest');
  }

  async list(): Promise<readonly ImageSummary[]> {
    const found: ImageSummary[] = [];
    for (const { shown, digest } of this.records.names()) {
      const summary = await this.#summary(shown, digest);
      if (summary) found.push(summary);
    }
    return found;
  }

  async tag(name: string, digest: Digest): Promise<void> {
    const reference = this.parse(name);
    if (reference.digest !== undefined) {
      throw new OciFault(
        'REFERENCE_INVALID',
        `${name} names content by its digest; that cannot be pointed elsewhere`,
      );
    }
    await this.link(reference, digest);
    const tag = reference.tag ?? 'latest';
    const isAddress = reference.registry !== parseReference(name).registry;
    const plain = isAddress ? formatReference(reference) : name;
    const shown = plain.endsWith(`:${tag}`) ? plain : `${plain}:${tag}`;
    this.records.setName({ ...reference, tag, shown, digest });
  }

  /**
   * Makes a manifest, and all that it names, content of a repository. Until an hour after `addedMs` this alone keeps
   * it from being pruned; a tag does so for longer.
   */
  async link({ registry, repository }: RepositoryName, digest: Digest, addedMs = 0): Promise<void> {
    const parsed = await this.images.manifest(digest);
    const size = await this.blobs.size(digest);
    if (parsed === undefined || size === undefined) throw unknownBlob(digest);
    for (const blob of parsed.links.blobs) {
      const isLost = (await this.blobs.size(blob)) === undefined && parsed.kind === 'image';
      if (isLost) throw unknownBlob(blob);
    }
    const full = `${registry}/${repository}`;
    this.records.transaction(() => {
      this.records.addManifest(full, digest, size, parsed.links);
      for (const blob of [digest, ...parsed.links.blobs]) this.records.addBlob(full, blob, addedMs);
    });
    // The parts of an index that are here come along; the others were never pulled.
    for (const child of parsed.links.manifests) {
      const here = child !== digest && (await this.blobs.size(child)) !== undefined;
      if (here) await this.link({ registry, repository }, child, addedMs);
    }
  }

  untag(name: string): Promise<boolean> {
    const { registry, repository, tag } = this.parse(name);
    return Promise.resolve(tag !== undefined && this.records.removeName(registry, repository, tag));
  }

  async putImage(config: Omit<ImageConfig, 'rootfs'>, layers: readonly Layer[]): Promise<Image> {
    return await this.images.put(config, layers);
  }

  async layerFolders(layers: readonly Layer[]): Promise<readonly string[]> {
    const folders = await Promise.all(layers.map((layer) => this.#layers.folder(layer.diffId)));
    return folders.toReversed();
  }

  async commitLayer(folder: string, options: { timestampMs: number }): Promise<Layer | undefined> {
    return await this.#layers.commit(folder, options);
  }

  async compressed(layer: Layer, form?: LayerForm): Promise<Descriptor> {
    return await this.#layers.compressed(layer, form);
  }

  async layerTar(layer: Layer): Promise<Readable> {
    return await this.#layers.tar(layer.diffId);
  }

  homes(digest: Digest, registry: string): readonly string[] {
    return this.records.repositoriesWith(registry, digest);
  }

  referrers(subject: Digest): readonly Digest[] {
    return [...new Set(this.records.referrers(subject).map((found) => found.digest))];
  }

  async scratch(prefix: string): Promise<string> {
    return await makeScratch(this.#folders, prefix);
  }

  /** Where the registry gathers an upload until it is a blob. */
  uploadFile(id: string): string {
    return path.join(this.#folders.uploads, id);
  }

  async prune(keep: readonly Digest[] = [], options: PruneOptions = {}): Promise<{ removedBytes: number }> {
    const parts = { folders: this.#folders, store: this };
    // Two at once would count, and remove, the same things.
    const result = await this.#pruning.use(() => prune(parts, keep, options));
    this.#logger.log('info', 'pruned the image store', result);
    return result;
  }

  get layers(): Layers {
    return this.#layers;
  }

  /** Lets go of the database; for tests and for the end of a process. Nothing needs it to be consistent. */
  close(): void {
    this.records.close();
  }

  async #summary(name: string, digest: Digest): Promise<ImageSummary | undefined> {
    try {
      const found = await this.images.find(digest);
      if (!found) return undefined;
      const { manifest, config } = found;
      const sizeBytes = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
      return { name, digest, sizeBytes, createdAt: config.created };
    } catch (error) {
      // Artifacts and images for other machines have names too; they are nothing that could be run here.
      if (error instanceof OciFault) return undefined;
      throw error;
    }
  }
}
