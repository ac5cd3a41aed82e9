import { codeOf } from '@updraft/kit';
import { canonicalJson } from '../json.ts';
import { OciFault } from '../faults.ts';
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parseConfig, parseManifest } from '../manifest.ts';
import type { ParsedManifest } from '../manifest.ts';
import { MEDIA, layerCompression } from '../media-types.ts';
import { choosePlatform } from '../platform.ts';
import type { Descriptor, Digest, Image, ImageConfig, Layer, Manifest } from '../types.ts';
import type { FileBlobs } from './blobs.ts';
import type { Layers } from './layers.ts';

/** Manifests and configs, read from and written to the blobs. */
export class Images {
  readonly #blobs: FileBlobs;
  readonly #layers: Layers;

  constructor(blobs: FileBlobs, layers: Layers) {
    this.#blobs = blobs;
    this.#layers = layers;
  }

  /** The manifest of any kind with this digest; undefined when it is not here. */
  async manifest(digest: Digest): Promise<ParsedManifest | undefined> {
    try {
      return parseManifest(await this.#blobs.readSmall(digest, MAX_MANIFEST_BYTES));
    } catch (error) {
      if (codeOf(error) === 'BLOB_UNKNOWN') return undefined;
      throw error;
    }
  }

  /** The image for this machine behind a manifest or an index; undefined when it, or its part, is not here. */
  async find(
    digest: Digest,
  ): Promise<{ digest: Digest; manifest: Manifest; config: ImageConfig } | undefined> {
    const parsed = await this.manifest(digest);
    if (parsed === undefined) return undefined;
    // An index inside an index is legal and pointless; one level is what the world uses.
    if (parsed.kind === 'index') return await this.#plain(choosePlatform(parsed.index).digest);
    return await this.#imageOf(digest, parsed);
  }

  async get(digest: Digest): Promise<Image | undefined> {
    const found = await this.find(digest);
    if (!found) return undefined;
    const { manifest, config } = found;
    for (const used of [found.digest, manifest.config.digest]) this.#layers.use(used);
    const diffIds = config.rootfs.diff_ids;
    for (const [index, diffId] of diffIds.entries()) {
      const descriptor = manifest.layers[index];
      if (descriptor) this.#layers.announce(diffId, descriptor);
      if (descriptor) this.#blobs.touches.note(descriptor.digest);
    }
    const layers = await Promise.all(
      diffIds.map(async (diffId, index) =>
        withForm(await this.#layers.layer(diffId), manifest.layers[index]),
      ),
    );
    return Object.freeze({ ...found, layers: Object.freeze(layers) });
  }

  /** See ImageStore.putImage. */
  async put(config: Omit<ImageConfig, 'rootfs'>, layers: readonly Layer[]): Promise<Image> {
    const descriptors = [];
    for (const layer of layers) descriptors.push(await this.#layers.descriptor(layer));
    const whole = { ...config, rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) } };
    const configBlob = await this.#blobs.write(Buffer.from(canonicalJson(whole)));
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      config: { mediaType: MEDIA.ociConfig, ...configBlob },
      layers: descriptors,
    };
    const { digest } = await this.#blobs.write(Buffer.from(canonicalJson(manifest)));
    const image = await this.get(digest);
    if (!image) throw new OciFault('BLOB_UNKNOWN', 'the image was removed while it was written');
    return image;
  }

  async #plain(digest: Digest) {
    const parsed = await this.manifest(digest);
    return parsed && (await this.#imageOf(digest, parsed));
  }

  async #imageOf(digest: Digest, parsed: ParsedManifest) {
    if (parsed.kind !== 'image') {
      throw new OciFault(
        'IMAGE_UNSUPPORTED',
        `${digest} is not a container image, but an artifact of another kind`,
      );
    }
    const { manifest } = parsed;
    const config = await this.#config(manifest.config.digest);
    if (!config) return undefined;
    if (config.rootfs.diff_ids.length !== manifest.layers.length) {
      throw new OciFault(
        'MANIFEST_INVALID',
        `the manifest ${digest} and its config have different numbers of layers`,
      );
    }
    return { digest, manifest, config };
  }

  async #config(digest: Digest): Promise<ImageConfig | undefined> {
    try {
      return parseConfig(await this.#blobs.readSmall(digest, MAX_CONFIG_BYTES));
    } catch (error) {
      if (codeOf(error) === 'BLOB_UNKNOWN') return undefined;
      throw error;
    }
  }
}

function withForm(layer: Layer, descriptor: Descriptor | undefined): Layer {
  const isPlain = !descriptor || layerCompression(descriptor.mediaType) === 'none';
  return Object.freeze(isPlain ? layer : { ...layer, received: descriptor });
}
