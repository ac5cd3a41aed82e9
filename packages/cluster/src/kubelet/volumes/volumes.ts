import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, removeTree, run, runOrThrow } from '@updraft/kit';
import { bindMount, unmount } from '@updraft/pods';
import type { Mount } from '@updraft/pods';
import type { IntOrString } from '../../kinds/meta.ts';
import { parseQuantity } from '../../kinds/quantity.ts';
import type { Container, Pod, Volume, VolumeMount } from '../../kinds/pod.ts';
import type { PersistentVolumeClaim } from '../../kinds/storage.ts';
import { roleOf } from '../container-role.ts';
import { expand } from '../expansion.ts';
import type { Surroundings } from '../fields.ts';
import { configError, notGranted } from '../services.ts';
import type { KubeletServices } from '../services.ts';
import { provideHostPath } from './host-path.ts';
import { openInside, placeOf } from './inside.ts';
import { fetchMemory, mountPoints } from './memory.ts';
import { giveToGroup } from './ownership.ts';
import { writePayload } from './payload.ts';
import { dependsOn, payloadOf, VolumeMissing } from './sources.ts';
import type { Changed } from './sources.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME = 'kube-api-access';

/** The volumes of one pod, as folders on the host. */
export class PodVolumes {
  readonly #services: KubeletServices;
  readonly #pod: () => Pod;
  readonly #dir: string;
  readonly #memory = new Set<string>();
  /** Volumes that lie elsewhere: claimed, or the host's. */
  readonly #places = new Map<string, string>();
  #serial = 0;
  #refreshed: Promise<void> = Promise.resolve();

  constructor(services: KubeletServices, pod: () => Pod) {
    this.#services = services;
    this.#pod = pod;
    this.#dir = path.join(podsFolder(services.dir), pod().metadata.uid);
  }

  /** Makes every volume, or brings it up to date. @throws VolumeMissing with the words for the event FailedMount */
  async prepare(): Promise<void> {
    for (const volume of this.#volumes()) {
      await this.#make(volume).catch((error: unknown) => {
        throw new VolumeMissing(`for volume "${volume.name}" : ${messageOf(error)}`);
      });
    }
  }

  /**
   * Finds the volumes in memory again that an earlier daemon made, in the view of a process which uses them.
   * @throws PodsFault when there is no way to them
   */
  async rejoin(container: Container, pid: number): Promise<void> {
    const present = new Set(await mountPoints());
    for (const { name, emptyDir } of this.#volumes()) {
      const folder = this.#folder(name);
      if (emptyDir?.medium !== 'Memory' || this.#memory.has(folder)) continue;
      const uses = container.volumeMounts?.some((one) => one.name === name);
      if (!present.has(folder) && !(uses && (await fetchMemory(pid, this.#label(name), folder)))) continue;
      this.#memory.add(folder);
    }
  }

  /** Writes those volumes anew that show what has changed; one change after another. */
  refresh(changed: Changed): Promise<void> {
    const rewrite = async (before: Promise<void>) => {
      await before;
      for (const volume of this.#volumes()) if (dependsOn(volume, changed)) await this.#make(volume);
    };
    const done = rewrite(this.#refreshed);
    this.#refreshed = done.catch(() => undefined);
    return done;
  }

  /** What a container sees of them. @throws NotYet */
  async mountsFor(container: Container, env: Readonly<Record<string, string>>): Promise<Mount[]> {
    const isEphemeral = roleOf(this.#pod(), container) === 'ephemeral';
    // An ephemeral container gets the token when it asks for the volume by name, as upstream.
    const token =
      !isEphemeral &&
      this.#wantsToken() &&
      !container.volumeMounts?.some(({ mountPath }) => mountPath === TOKEN_PATH);
    const own = token ? [{ name: TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true }] : [];
    const mounts: Mount[] = [];
    for (const [index, mount] of [...(container.volumeMounts ?? []), ...own].entries()) {
      const shown = path.join(this.#dir, 'parts', container.name, String(index));
      mounts.push(await this.#mount(mount, env, shown));
    }
    return mounts;
  }

  terminationPath(container: Container): string {
    return path.join(this.#dir, 'containers', container.name, 'termination-log');
  }

  /** The file a container may leave its last words in, empty at each start. */
  async terminationFile(container: Container): Promise<Mount & { kind: 'bind' }> {
    const source = this.terminationPath(container);
    await mkdir(path.dirname(source), { recursive: true });
    await writeFile(source, '');
    await chmod(source, 0o666);
    return {
      kind: 'bind',
      source,
      target: container.terminationMessagePath ?? '/dev/termination-log',
      readOnly: false,
    };
  }

  /** Whether a volume may outgrow its limit on the disk; one in memory cannot. */
  get hasLimits(): boolean {
    return this.#limited().length > 0;
  }

  /** The first volume that holds more than it may, in the words of the event Evicted. */
  async outgrown(): Promise<string | undefined> {
    for (const { name, limit } of this.#limited()) {
      const { stdout } = await run('du', ['-sxB1', this.#folder(name)]);
      if (Number.parseInt(stdout, 10) > (parseQuantity(limit) ?? Number.POSITIVE_INFINITY))
        return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
    }
    return undefined;
  }

  #limited(): { name: string; limit: IntOrString }[] {
    return this.#volumes().flatMap(({ name, emptyDir }) =>
      emptyDir?.sizeLimit === undefined ||
      emptyDir.medium === 'Memory' ||
      parseQuantity(emptyDir.sizeLimit) === 0
        ? []
        : [{ name, limit: emptyDir.sizeLimit }],
    );
  }

  /** Takes away all but claimed volumes, which have a life of their own. */
  async remove(): Promise<void> {
    await removeFolder(this.#dir, await mountPoints());
    this.#memory.clear();
  }

  #volumes(): Volume[] {
    const volumes = this.#pod().spec.volumes ?? [];
    return this.#wantsToken() ? [...volumes, tokenVolume()] : volumes;
  }

  #wantsToken(): boolean {
    const { spec, metadata } = this.#pod();
    const account = this.#services.objects.get(
      'serviceaccounts',
      metadata.namespace,
      spec.serviceAccountName ?? 'default',
    );
    const wanted = spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;
    const shown = spec.volumes?.some(({ name }) => name.startsWith(`${TOKEN_VOLUME}-`)) === true;
    return wanted && !shown && account !== undefined;
  }

  #folder(volume: string): string {
    return this.#places.get(volume) ?? path.join(this.#dir, 'volumes', volume);
  }

  /** What a volume in memory is called in lists of mounts. */
  #label(volume: string): string {
    return `updraft-volume-${this.#pod().metadata.uid}-${volume}`;
  }

  async #make(volume: Volume): Promise<void> {
    const { fsGroup, fsGroupChangePolicy } = this.#pod().spec.securityContext ?? {};
    const around: Surroundings = { podAddress: undefined, ...this.#services };
    const files = payloadOf({ services: this.#services, pod: this.#pod(), around }, volume);
    if (files) {
      this.#serial += 1;
      const serial = `${this.#services.clock.now()}_${this.#serial}`;
      return writePayload(this.#folder(volume.name), files, { serial, group: fsGroup });
    }
    await this.#makeFolder(volume);
    // What belongs to the host, or to everybody, changes no hands.
    if (fsGroup === undefined || volume.hostPath || volume.image) return;
    const onRootMismatch = fsGroupChangePolicy === 'OnRootMismatch';
    await giveToGroup(this.#folder(volume.name), fsGroup, { readOnly: false, onRootMismatch });
  }

  async #makeFolder(volume: Volume): Promise<void> {
    if (volume.emptyDir) return this.#makeEmpty(volume.name, volume.emptyDir);
    if (volume.persistentVolumeClaim)
      return this.#findClaim(volume.name, volume.persistentVolumeClaim.claimName);
    if (volume.ephemeral) return this.#findClaim(volume.name, this.#ownClaim(volume.name, volume.ephemeral));
    if (volume.hostPath) return this.#findHostPath(volume.name, volume.hostPath);
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
    throw new VolumeMissing(`volumes of type ${kind} are not supported on this cluster`);
  }

  async #makeEmpty(name: string, { medium, sizeLimit }: NonNullable<Volume['emptyDir']>): Promise<void> {
    const folder = this.#folder(name);
    await mkdir(folder, { recursive: true });
    if (medium === 'Memory' && !this.#memory.has(folder)) {
      const size = parseQuantity(sizeLimit);
      const options = ['mode=0777', ...(size ? [`size=${Math.ceil(size)}`] : [])].join(',');
      await runOrThrow('mount', ['-t', 'tmpfs', '-o', options, this.#label(name), folder]);
      this.#memory.add(folder);
    }
    // mkdir's mode is cut by the umask.
    await chmod(folder, 0o777);
  }

  async #findClaim(name: string, claimName: string): Promise<void> {
    const { objects } = this.#services;
    const claim = objects.get('persistentvolumeclaims', this.#pod().metadata.namespace, claimName);
    if (!claim) throw new VolumeMissing(`persistentvolumeclaim "${claimName}" not found`);
    const folder = this.#folderOf(claim);
    if (claim.status?.phase !== 'Bound' || folder === undefined) {
      throw new VolumeMissing(`persistentvolumeclaim "${claimName}" is not bound to a volume of this node`);
    }
    await mkdir(folder, { recursive: true });
    this.#places.set(name, folder);
  }

  /** Where a claim's volume lies. A volume that somebody made himself may name any folder of the host. */
  #folderOf(claim: PersistentVolumeClaim): string | undefined {
    const { objects, dir, grants } = this.#services;
    const { volumeName } = claim.spec;
    const volume = volumeName ? objects.get('persistentvolumes', undefined, volumeName) : undefined;
    const folder = volume?.spec.local?.path ?? volume?.spec.hostPath?.path;
    // Deeper inside it is what containers made: a link there could lead anywhere.
    const isOwn = folder !== undefined && path.dirname(path.resolve(folder)) === path.join(dir, 'volumes');
    if (folder !== undefined && !isOwn && !grants.has('hostPath'))
      throw new VolumeMissing(notGranted('hostPath'));
    return folder;
  }

  /** The claim that is made for this pod alone, and goes with it. */
  #ownClaim(name: string, { volumeClaimTemplate }: NonNullable<Volume['ephemeral']>): string {
    const { objects } = this.#services;
    const { namespace = 'default', name: pod, uid } = this.#pod().metadata;
    const claimName = `${pod}-${name}`;
    const claim = objects.get('persistentvolumeclaims', namespace, claimName);
    if (!claim) {
      const { metadata = {}, spec } = volumeClaimTemplate;
      const owner = {
        apiVersion: 'v1',
        kind: 'Pod',
        name: pod,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      };
      objects.create('persistentvolumeclaims', {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { ...metadata, name: claimName, namespace, ownerReferences: [owner] },
        spec,
      });
    } else if (!claim.metadata.ownerReferences?.some((owner) => owner.uid === uid)) {
      const what = `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod}`;
      throw new VolumeMissing(`${what} (pod is not owner)`);
    }
    return claimName;
  }

  async #findHostPath(
    name: string,
    { path: place, type = '' }: NonNullable<Volume['hostPath']>,
  ): Promise<void> {
    if (!this.#services.grants.has('hostPath')) throw new VolumeMissing(notGranted('hostPath'));
    await provideHostPath(place, type);
    this.#places.set(name, place);
  }

  /** @param shown where a part of the volume is mounted on the host, for the runtime to mount it from there */
  async #mount(mount: VolumeMount, env: Readonly<Record<string, string>>, shown: string): Promise<Mount> {
    const volume = this.#volumes().find(({ name }) => name === mount.name);
    if (!volume) throw configError(`volume ${JSON.stringify(mount.name)} of a volumeMount is not found`);
    const folder = this.#folder(volume.name);
    const subPath = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, env);
    const fixed = Boolean(volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI);
    const readOnly = mount.readOnly === true || fixed || volume.persistentVolumeClaim?.readOnly === true;
    const source = subPath ? await showPart(folder, subPath, shown) : folder;
    return { kind: 'bind', source, target: mount.mountPath, readOnly };
  }
}

/**
 * Mounts a part of a volume at a place that no container can change. By its path the runtime would look it up again, and
 * a container that puts a link there in between would get any file of the host.
 */
async function showPart(folder: string, subPath: string, shown: string): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw configError(`invalid subPath ${subPath}`);
  const part = await openInside(folder, subPath);
  try {
    unmount(shown);
    await rm(shown, { recursive: true, force: true });
    await mkdir(path.dirname(shown), { recursive: true });
    await ((await part.stat()).isDirectory() ? mkdir(shown) : writeFile(shown, ''));
    bindMount(placeOf(part), shown);
    return shown;
  } finally {
    await part.close();
  }
}

function tokenVolume(): Volume {
  return {
    name: TOKEN_VOLUME,
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 365 * 24 * 3600 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  };
}

const podsFolder = (dir: string) => path.join(dir, 'pods');

/** What is mounted in it first: what is deleted there would be deleted for good. @throws PodsFault */
async function removeFolder(folder: string, mounts: readonly string[]): Promise<void> {
  for (const mount of mounts.toReversed()) if (mount.startsWith(`${folder}/`)) unmount(mount);
  await removeTree(folder);
}

/** Takes away what the pods of a dead daemon left, mounts first, then folders; but not those of pods with these uids. */
export async function sweepVolumes(dir: string, living: ReadonlySet<string>): Promise<void> {
  const root = podsFolder(dir);
  const dead = (await readdir(root).catch(() => [])).filter((uid) => !living.has(uid));
  const mounts = await mountPoints();
  for (const uid of dead) await removeFolder(path.join(root, uid), mounts);
}
