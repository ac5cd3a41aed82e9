/**
 * Images: references, digests, the content-addressed store and its layers; sources and sinks.
 * @module
 */
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
  Manifest,
  Reference,
  TransferOptions,
} from './types.ts';
