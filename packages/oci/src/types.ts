import type { Readable } from 'node:stream';

/**
 * `sha256:` and 64 hex digits: names bytes as they are stored or sent (a manifest, a config, a maybe compressed layer).
 * What others name by sha512 (and 128 digits) is kept under that name too.
 */
export type Digest = `sha256:${string}` | `sha512:${string}`;

/** Like a Digest, but always sha256, as of the uncompressed tar of a layer (OCI image-spec, config `rootfs.diff_ids`). */
export type DiffId = `sha256:${string}`;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Readonly<{ os: string; architecture: string; variant?: string }>;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** `config` of an image config (OCI image-spec, config.md), plus Docker's Healthcheck, Shell and OnBuild. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly Healthcheck?: Readonly<{
    Test?: readonly string[];
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    Retries?: number;
  }>;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly config?: ContainerConfig;
  readonly rootfs: Readonly<{ type: 'layers'; diff_ids: readonly DiffId[] }>;
  readonly history?: readonly HistoryEntry[];
}

/**
 * A layer that lies in the store: as its uncompressed tar, or as the compressed one it came with, both blobs; and (once
 * needed) as a folder ready for overlayfs.
 */
export interface Layer {
  readonly diffId: DiffId;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** How the image that it was taken from names it, when it came compressed: images on top of that one go on to do so. */
  readonly received?: Descriptor;
}

/** How a layer is to be compressed. Without a level: as is usual, or as it is there already. */
export interface LayerForm {
  readonly kind: 'gzip' | 'zstd';
  /** gzip: 0 to 9; zstd: 1 to 22. */
  readonly level?: number | undefined;
}

/** One platform's image in the store: a frozen view. Layers are bottom first. */
export interface Image {
  /** Of the manifest as the store serves it (uncompressed layers), or as it was pulled. */
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}

export interface ImageSummary {
  /** `repository:tag`, as given to `tag`. */
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly createdAt: string | undefined;
}

/** Content by digest. Writing what is already there is no error; reading verifies and fails at the end of a wrong stream. */
export interface BlobStore {
  /** Size in bytes, or undefined when the blob is not here. */
  size(digest: Digest): Promise<number | undefined>;
  /** @throws OciFault BLOB_UNKNOWN */
  read(digest: Digest): Promise<Readable>;
  /**
   * Gives the sha256 digest, whatever `expected` is made with; the content can be read by both.
   * @throws OciFault DIGEST_INVALID when `expected` is given and differs; nothing is stored then.
   */
  write(content: Readable | Uint8Array, expected?: Digest): Promise<{ digest: DiffId; size: number }>;
  /** The file that holds the blob, for range requests and programs; never write to it. */
  path(digest: Digest): string;
}

/**
 * The one store of a machine. Safe under parallel use in one process and under kill -9: everything becomes visible
 * by a rename or a database transaction. Names are normalised references (see `parseReference`).
 */
export interface ImageStore {
  /** The store's folder; layer folders lie inside, on one file system with `scratch`. */
  readonly dir: string;
  readonly blobs: BlobStore;
  /** A name as this store understands it: another address of a registry is that registry. @throws OciFault REFERENCE_INVALID */
  parse(name: string): Reference;
  /** By `name`, `name:tag`, `name@digest` or bare `sha256:…` manifest digest; undefined when it is not here. */
  get(reference: string): Promise<Image | undefined>;
  /** Every image by name. */
  list(): Promise<readonly ImageSummary[]>;
  /** Points a name at an image that is in the store; replaces what it pointed at. */
  tag(name: string, digest: Digest): Promise<void>;
  /** Takes a name away; blobs stay until `prune`. False when there was none. */
  untag(name: string): Promise<boolean>;
  /** Writes config and manifest for layers that are in the store. Same input, same digest. */
  putImage(config: Omit<ImageConfig, 'rootfs'>, layers: readonly Layer[]): Promise<Image>;
  /**
   * Folders for overlayfs' lowerdir, top layer first, unpacked when they were not yet. They are read-only by contract.
   * @throws OciFault BLOB_UNKNOWN when a layer's content is gone.
   */
  layerFolders(layers: readonly Layer[]): Promise<readonly string[]>;
  /**
   * Takes over a folder that holds an overlay's upper directory (whiteouts as 0:0 devices, opaque xattrs) and makes it a
   * layer: packed to a reproducible tar (sorted, times clamped to `timestampMs`), hashed, kept. The folder is moved away.
   * An empty folder gives undefined: no layer.
   */
  commitLayer(folder: string, options: { timestampMs: number }): Promise<Layer | undefined>;
  /**
   * The layer as a compressed blob (default: gzip) for those who want it so: as it was received, else compressed now and
   * kept until `prune`.
   * @throws OciFault COMPRESSION_INVALID, PROGRAM_NEEDED
   */
  compressed(layer: Layer, form?: LayerForm): Promise<Descriptor>;
  /** The layer's uncompressed tar, verified while it is read. @throws OciFault BLOB_UNKNOWN */
  layerTar(layer: Layer): Promise<Readable>;
  /** Repositories of a registry (`docker.io`) that this content is known to be in: it was tagged as one of theirs. */
  homes(digest: Digest, registry: string): readonly string[];
  /** Manifests of what is attached to an image (see attachReferrer). */
  referrers(subject: Digest): readonly Digest[];
  /** A new empty folder on the store's file system, for upper and work directories. The caller removes it. */
  scratch(prefix: string): Promise<string>;
  /**
   * Removes blobs and folders that no name reaches and that are not `keep`: digests of manifests or of layers. What
   * containers run from must be kept so, or named, before this is called.
   * What came in within the last hour and was never named stays too: it may be part of something on its way.
   */
  prune(keep?: readonly Digest[], options?: PruneOptions): Promise<{ removedBytes: number }>;
}

export interface PruneOptions {
  /** Only what was of no use for this long. Default 0. */
  readonly unusedForMs?: number;
  /** Only as much, what was of no use for the longest time first, as brings the store down to this. */
  readonly maxBytes?: number;
  /** Only what belongs to these manifests. */
  readonly only?: readonly Digest[];
  /** Keeps every layer that this process has used: for while builds or jobs run. Default false. */
  readonly keepUsed?: boolean;
}

/** `host[:port]/path`, `tag` and/or `digest` of an image name, Docker's short names completed. */
export interface Reference {
  /** `docker.io` when the name had none. */
  readonly registry: string;
  /** `library/node` for the short name `node`. */
  readonly repository: string;
  /** `latest` when there was neither tag nor digest. */
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface TransferOptions {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  /** Plain HTTP, for registries on this machine. */
  readonly insecure?: boolean;
  readonly onProgress?: (progress: { digest: Digest; doneBytes: number; totalBytes: number }) => void;
}
