import { Fault } from '@updraft/kit';
import type { ImageProvider } from '@updraft/cluster';
import { parseReference } from '@updraft/oci';
import type { Credentials, ImageStore } from '@updraft/oci';
import type { ImageSource } from '@updraft/runner';
import { credentialsFor } from '@updraft/stand-ins';
import type { ImageFinder } from './source.ts';

/** Images for CI jobs: found or made, unpacked, with the remarks the job's log shows. */
export function jobImages(finder: ImageFinder, store: ImageStore): ImageSource {
  return {
    async resolve(name, options) {
      const found = await finder.find(name, {
        policy: options.policy,
        credentials: credentialsFor(registryOf(name), undefined, options.variables),
        onLog: options.onLog,
        signal: options.signal,
      });
      return {
        image: found.image,
        layers: await store.layerFolders(found.image.layers),
        notes: found.notes,
        needsTools: found.standIn?.tools ?? false,
      };
    },
  };
}

/** A name that is none is the finder's to refuse. */
function registryOf(name: string): string {
  try {
    return parseReference(name).registry;
  } catch {
    return '';
  }
}

type Access = (
  username: string,
  password: string,
) => { allow: (repository: string, action: string) => boolean } | undefined;

/** Images for the kubelet. The embedded registry's want the pod's pull secret, as a real node would. */
export function clusterImages(
  { finder, store }: { readonly finder: ImageFinder; readonly store: ImageStore },
  registryHost: string,
  access: Access,
): ImageProvider {
  return {
    async provide(name, { policy, credentials, signal }) {
      const reference = store.parse(name);
      // A pull secret names the registry as the pod does.
      const given = credentials[parseReference(name).registry] ?? credentials[reference.registry];
      if (reference.registry === registryHost && !mayPull(access, given, reference.repository)) {
        throw new Fault(
          'IMAGE_FORBIDDEN',
          `the registry refuses to give ${name}: the pod has no valid pull secret for it`,
        );
      }
      const { image } = await finder.find(name, {
        policy: policy === 'Never' ? 'never' : policy === 'Always' ? 'always' : 'if-not-present',
        credentials: given,
        onLog: () => undefined,
        ...(signal ? { signal } : {}),
      });
      return image;
    },
  };
}

const mayPull = (access: Access, credentials: Credentials | undefined, repository: string): boolean =>
  credentials !== undefined &&
  (access(credentials.username, credentials.password)?.allow(repository, 'pull') ?? false);
