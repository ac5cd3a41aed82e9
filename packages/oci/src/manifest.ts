import { isDigest, isSha256 } from './digest.ts';
import { OciFault } from './faults.ts';
import { isRecord, parseJsonObject } from './json.ts';
import { MEDIA, isForeignType, isImageConfigType, isIndexType, layerCompression } from './media-types.ts';
import type { Descriptor, DiffId, Digest, ImageConfig, Manifest } from './types.ts';

/** Registries refuse larger ones, and so do we. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const MAX_LAYERS = 500;

/** An image index or Docker's manifest list. */
export interface Index {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
}

/** What a manifest's bytes turned out to be. An artifact is a manifest whose content is no container image. */
export type ParsedManifest =
  | { readonly kind: 'image' | 'artifact'; readonly manifest: Manifest; readonly links: ManifestLinks }
  | { readonly kind: 'index'; readonly index: Index; readonly links: ManifestLinks };

/** What a manifest refers to, and how others find it. */
export interface ManifestLinks {
  readonly mediaType: string;
  /** What must be there for the manifest to be of use. */
  readonly blobs: readonly Digest[];
  /** Layers that may only be had elsewhere (Windows' bases); here they may be missing. */
  readonly foreign: readonly Digest[];
  readonly manifests: readonly Digest[];
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads a manifest of any kind. `announcedType` is used when the bytes name none themselves.
 * @throws OciFault MANIFEST_INVALID, and IMAGE_UNSUPPORTED for Docker's first manifest format
 */
export function parseManifest(bytes: Uint8Array, announcedType?: string): ParsedManifest {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw invalid(`a manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const json = parseJsonObject(bytes, 'a manifest');
  if (json['schemaVersion'] === 1) {
    throw new OciFault(
      'IMAGE_UNSUPPORTED',
      'the image has a manifest of Docker’s first format, which is not supported',
      {
        next: 'Push the image again with a current tool.',
      },
    );
  }
  if (json['schemaVersion'] !== 2) throw invalid('a manifest has no schemaVersion 2');
  const mediaType = typeOf(json, announcedType);
  if (isIndexType(mediaType)) return indexOf(json, mediaType);
  const manifest = manifestOf(json, mediaType);
  const isImage = isImageConfigType(manifest.config.mediaType) && manifest.layers.every(isLayer);
  const own = manifest.layers.filter((layer) => !isForeignType(layer.mediaType));
  const blobs = [manifest.config.digest, ...own.map((layer) => layer.digest)];
  const foreign = manifest.layers
    .filter((layer) => isForeignType(layer.mediaType))
    .map(({ digest }) => digest);
  const links = { ...linksOf(json, mediaType), blobs, foreign, manifests: [] };
  const artifactType = links.artifactType ?? manifest.config.mediaType;
  return { kind: isImage ? 'image' : 'artifact', manifest, links: { ...links, artifactType } };
}

/** @throws OciFault MANIFEST_INVALID, IMAGE_UNSUPPORTED */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = parseJsonObject(bytes, 'an image config');
  const rootfs = json['rootfs'];
  const diffIds = isRecord(rootfs) ? rootfs['diff_ids'] : undefined;
  if (
    !Array.isArray(diffIds) ||
    !diffIds.every((id): id is DiffId => typeof id === 'string' && isSha256(id))
  ) {
    throw invalid('an image config has no list of layer digests (rootfs.diff_ids)');
  }
  if (typeof json['architecture'] !== 'string' || typeof json['os'] !== 'string') {
    throw invalid('an image config names no architecture or no operating system');
  }
  if (json['os'] !== 'linux') {
    throw new OciFault(
      'IMAGE_UNSUPPORTED',
      `the image is made for ${JSON.stringify(json['os'])}, not for Linux`,
    );
  }
  checkContainerConfig(json['config']);
  return json as unknown as ImageConfig;
}

const TEXT_LISTS = ['Env', 'Entrypoint', 'Cmd', 'Shell', 'OnBuild'];
const TEXTS = ['User', 'WorkingDir', 'StopSignal'];
const TABLES = ['ExposedPorts', 'Volumes', 'Labels'];

/** Everything else may rely on these shapes, so they are held here, once. Null stands for absent. */
function checkContainerConfig(config: unknown): void {
  if (config === undefined || config === null) return;
  if (!isRecord(config)) throw invalid('the config of an image is not an object');
  for (const [key, value] of Object.entries(config)) {
    if (value === null) delete config[key];
    else if (!hasShape(key, value)) throw invalid(`${key} in the config of an image has the wrong form`);
  }
}

function hasShape(key: string, value: unknown): boolean {
  if (TEXT_LISTS.includes(key))
    return Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (TEXTS.includes(key)) return typeof value === 'string';
  if (TABLES.includes(key)) return isRecord(value);
  return true;
}

function typeOf(json: Record<string, unknown>, announced: string | undefined): string {
  if (typeof json['mediaType'] === 'string') return json['mediaType'];
  if (announced) return announced;
  return Array.isArray(json['manifests']) ? MEDIA.ociIndex : MEDIA.ociManifest;
}

function indexOf(json: Record<string, unknown>, mediaType: string): ParsedManifest {
  const manifests = json['manifests'];
  if (!Array.isArray(manifests)) throw invalid('an image index has no manifests');
  // One document must not be readable in two ways.
  if ('layers' in json || 'config' in json) throw invalid('an image index has the parts of an image');
  const index = { mediaType, manifests: manifests.map(descriptorOf) };
  const links = {
    ...linksOf(json, mediaType),
    blobs: [],
    foreign: [],
    manifests: index.manifests.map((item) => item.digest),
  };
  return { kind: 'index', index, links };
}

function manifestOf(json: Record<string, unknown>, mediaType: string): Manifest {
  if ('manifests' in json) throw invalid('an image manifest has the parts of an index');
  const layers = json['layers'];
  if (!Array.isArray(layers)) throw invalid('an image manifest has no layers');
  if (layers.length > MAX_LAYERS) throw invalid(`an image has more than ${MAX_LAYERS} layers`);
  const annotations = textsOf(json['annotations']);
  return {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(json['config']),
    layers: layers.map(descriptorOf),
    ...(annotations && { annotations }),
  };
}

function linksOf(json: Record<string, unknown>, mediaType: string) {
  const subject = json['subject'] === undefined ? undefined : descriptorOf(json['subject']).digest;
  const artifactType = typeof json['artifactType'] === 'string' ? json['artifactType'] : undefined;
  return { mediaType, subject, artifactType, annotations: textsOf(json['annotations']) };
}

function isLayer(descriptor: Descriptor): boolean {
  return layerCompression(descriptor.mediaType) !== undefined;
}

function descriptorOf(value: unknown): Descriptor {
  if (!isRecord(value)) throw invalid('a manifest has something else in the place of a descriptor');
  const { digest, size, mediaType } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) {
    throw invalid('a descriptor in a manifest has no media type or no sha256 or sha512 digest');
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid('a descriptor in a manifest has no size');
  }
  const annotations = textsOf(value['annotations']);
  const platform = platformOf(value['platform']);
  return { mediaType, digest, size, ...(annotations && { annotations }), ...(platform && { platform }) };
}

function platformOf(value: unknown): Descriptor['platform'] {
  if (!isRecord(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' && { variant }) };
}

function textsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

function invalid(message: string): OciFault {
  return new OciFault('MANIFEST_INVALID', message);
}
