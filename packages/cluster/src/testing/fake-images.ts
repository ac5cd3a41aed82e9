import { Fault } from '@updraft/kit';
import type { ContainerConfig, Image, ImageStore } from '@updraft/oci';
import type { ImageProvider } from '../types.ts';

const digest = (seed: string) =>
  `sha256:${Buffer.from(seed).toString('hex').padEnd(64, '0').slice(0, 64)}` as const;

export function fakeImage(name: string, config: ContainerConfig): Image {
  const descriptor = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digest(`c${name}`),
    size: 1,
  };
  return {
    digest: digest(name),
    manifest: {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor,
      layers: [],
    },
    config: { architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } },
    layers: [],
  };
}

/** Images that are there, and images that a registry would give. */
export function fakeImages(images: {
  readonly present?: Readonly<Record<string, ContainerConfig>>;
  readonly remote?: Readonly<Record<string, ContainerConfig>>;
}): { store: ImageStore; provider: ImageProvider; pulls: string[]; credentials: object[] } {
  const present = new Map(Object.entries(images.present ?? {}));
  const remote = new Map(Object.entries(images.remote ?? {}));
  const pulls: string[] = [];
  const credentials: object[] = [];
  const store = {
    get: async (name: string) => {
      const config = present.get(name);
      return config && fakeImage(name, config);
    },
    layerFolders: async () => [],
  };
  const provider: ImageProvider = {
    provide: async (name, options) => {
      pulls.push(name);
      credentials.push(options.credentials);
      const config = remote.get(name) ?? present.get(name);
      if (!config) throw new Fault('IMAGE_NOT_FOUND', `no image ${name} at any registry`);
      present.set(name, config);
      return fakeImage(name, config);
    },
  };
  return { store: store as unknown as ImageStore, provider, pulls, credentials };
}
