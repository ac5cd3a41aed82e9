/**
 * Images: references, digests, the content-addressed store and its layers; sources and sinks.
 * @module
 */
export { OCI_CODES, OciFault } from './faults.ts';
export type { OciCode } from './faults.ts';
export { digestOf, isDigest, parseDigest } from './digest.ts';
export { formatReference, isRepository, parseReference, shortReference } from './reference.ts';
export { machineArchitecture } from './platform.ts';
export { openImageStore } from './store/store.ts';
export type { LocalImageStore, StoreOptions } from './store/store.ts';
export { pull } from './remote/pull.ts';
export type { PullOptions } from './remote/pull.ts';
export { push } from './remote/push.ts';
export { checkCredentials } from './remote/login.ts';
export { attachReferrer, referrersOf, tagWithReferrers } from './referrers.ts';
export type { Attachment, Referrer } from './referrers.ts';
export { isLoopback } from './remote/connections.ts';
export type { Proxies } from './remote/connections.ts';
export type { ClientOptions } from './remote/client.ts';
export { createRegistry } from './registry/registry.ts';
export type { RegistryOptions } from './registry/registry.ts';
export type { Access, Action } from './registry/exchange.ts';
export { exportOciLayout } from './layout/export-layout.ts';
export { importOciLayout } from './layout/import-layout.ts';
export { exportArchive } from './layout/export-archive.ts';
export type { ExportArchiveOptions } from './layout/export-archive.ts';
export { importArchive } from './layout/import-archive.ts';
export type { ImportedImage } from './layout/import-archive.ts';
export { importRootFsTar } from './root-fs.ts';
export { TarReader } from './tar/reader.ts';
export type { TarListener } from './tar/reader.ts';
export type { TarEntry } from './tar/entry.ts';
export { compressLayers } from './compress-layers.ts';
export { isCompressionLevel } from './compression.ts';
export { squashLayers } from './squash-layers.ts';
export type {
  BlobStore,
  ContainerConfig,
  Credentials,
  Descriptor,
  DiffId,
  Digest,
  HistoryEntry,
  Image,
  ImageConfig,
  ImageStore,
  ImageSummary,
  Layer,
  LayerForm,
  Manifest,
  PruneOptions,
  Reference,
  TransferOptions,
} from './types.ts';
