import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, resolveInRoot, run, runOrThrow } from '@updraft/kit';
import { carryMount } from '@updraft/pods';
import type { Mount } from '@updraft/pods';
import { parseQuantity } from '../../kinds/quantity.ts';
import type { Container, Pod, Volume, VolumeMount } from '../../kinds/pod.ts';
import { expand } from '../expansion.ts';
import type { Surroundings } from '../fields.ts';
import { configError } from '../services.ts';
import type { KubeletServices } from '../services.ts';
import { giveToGroup } from './ownership.ts';
import { writePayload } from './payload.ts';
import { dependsOn, payloadOf, VolumeMissing } from './sources.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME = 'kube-api-access';

/** A mount on the host that outlives a killed daemon: what `sweepVolumes` looks for. */
const MOUNTS = '/proc/self/mounts';

/** The volumes of one pod, as folders on the host. */
export class PodVolumes {
  readonly #services: KubeletServices;
  readonly #pod: () => Pod;
  readonly #dir: string;
  readonly #memory = new Set<string>();
  readonly #claims = new Map<string, string>();
  #serial = 0;

  constructor(services: KubeletServices, pod: () => Pod) {
    this.#services = services;
    this.#pod = pod;
    this.#dir = path.join(podsFolder(services.dir), pod().metadata.uid);
  }

  /** Makes every volume, or brings it up to date. @throws VolumeMissing with the words for the event FailedMount */
  async prepare(): Promise<void> {
    for (const volume of this.#volumes()) await this.#make(volume);
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
      const mount = container.volumeMounts?.find(
        (one) => one.name === name && !one.subPath && !one.subPathExpr,
      );
      if (!present.has(folder) && !mount) continue;
      if (!present.has(folder) && mount) carryMount(pid, mount.mountPath, folder);
      this.#memory.add(folder);
    }
  }

  /** Writes those volumes anew that show this ConfigMap or Secret. */
  async refresh(resource: 'configmaps' | 'secrets', name: string): Promise<void> {
    for (const volume of this.#volumes()) if (dependsOn(volume, resource, name)) await this.#make(volume);
  }

  /** What a container sees of them. @throws NotYet */
  async mountsFor(container: Container, env: Readonly<Record<string, string>>): Promise<Mount[]> {
    const token =
      this.#wantsToken() && !container.volumeMounts?.some(({ mountPath }) => mountPath === TOKEN_PATH);
    const own = token ? [{ name: TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true }] : [];
    const mounts: Mount[] = [];
    for (const mount of [...(container.volumeMounts ?? []), ...own])
      mounts.push(await this.#mount(mount, env));
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

  /** Takes away all but claimed volumes, which have a life of their own. */
  async remove(): Promise<void> {
    for (const folder of this.#memory) await unmount(folder);
    this.#memory.clear();
    await rm(this.#dir, { recursive: true, force: true });
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
    return this.#claims.get(volume) ?? path.join(this.#dir, 'volumes', volume);
  }

  async #make(volume: Volume): Promise<void> {
    const { fsGroup } = this.#pod().spec.securityContext ?? {};
    const around: Surroundings = { podAddress: undefined, ...this.#services };
    const files = payloadOf({ services: this.#services, pod: this.#pod(), around }, volume);
    if (files) {
      this.#serial += 1;
      await writePayload(this.#folder(volume.name), files, `${this.#services.clock.now()}_${this.#serial}`);
    } else await this.#makeFolder(volume);
    if (fsGroup !== undefined) await giveToGroup(this.#folder(volume.name), fsGroup, files !== undefined);
  }

  async #makeFolder(volume: Volume): Promise<void> {
    if (volume.emptyDir) return this.#makeEmpty(volume.name, volume.emptyDir);
    if (volume.persistentVolumeClaim)
      return this.#findClaim(volume.name, volume.persistentVolumeClaim.claimName);
    if (volume.hostPath) throw new VolumeMissing('hostPath volumes are not allowed on this cluster');
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
    throw new VolumeMissing(`volumes of type ${kind} are not supported on this cluster`);
  }

  async #makeEmpty(name: string, { medium, sizeLimit }: NonNullable<Volume['emptyDir']>): Promise<void> {
    const folder = this.#folder(name);
    await mkdir(folder, { recursive: true });
    if (medium === 'Memory' && !this.#memory.has(folder)) {
      const size = parseQuantity(sizeLimit);
      const options = ['mode=0777', ...(size ? [`size=${Math.ceil(size)}`] : [])].join(',');
      await runOrThrow('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
      this.#memory.add(folder);
    }
    // mkdir's mode is cut by the umask.
    await chmod(folder, 0o777);
  }

  async #findClaim(name: string, claimName: string): Promise<void> {
    const { objects } = this.#services;
    const claim = objects.get('persistentvolumeclaims', this.#pod().metadata.namespace, claimName);
    if (!claim) throw new VolumeMissing(`persistentvolumeclaim "${claimName}" not found`);
    const volume = claim.spec.volumeName
      ? objects.get('persistentvolumes', undefined, claim.spec.volumeName)
      : undefined;
    const folder = volume?.spec.local?.path;
    if (claim.status?.phase !== 'Bound' || folder === undefined) {
      throw new VolumeMissing(`persistentvolumeclaim "${claimName}" is not bound to a volume of this node`);
    }
    await mkdir(folder, { recursive: true });
    this.#claims.set(name, folder);
  }

  async #mount(mount: VolumeMount, env: Readonly<Record<string, string>>): Promise<Mount> {
    const volume = this.#volumes().find(({ name }) => name === mount.name);
    if (!volume) throw configError(`volume ${JSON.stringify(mount.name)} of a volumeMount is not found`);
    const folder = this.#folder(volume.name);
    const subPath = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, env);
    const fixed = Boolean(volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI);
    const readOnly = mount.readOnly === true || fixed || volume.persistentVolumeClaim?.readOnly === true;
    return { kind: 'bind', source: await inside(folder, subPath), target: mount.mountPath, readOnly };
  }
}

/** A part of a volume: never outside it, whatever links lie there; made as a folder when it is missing. */
async function inside(folder: string, subPath: string | undefined): Promise<string> {
  if (!subPath) return folder;
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw configError(`invalid subPath ${subPath}`);
  const target = await resolveInRoot(folder, subPath);
  try {
    await stat(target);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(target, { recursive: true });
  }
  return target;
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

async function unmount(folder: string): Promise<void> {
  // Lazily: a process that is just ending may still hold it.
  await run('umount', ['-l', folder]);
}

/** Takes away what the pods of a dead daemon left, mounts first, then folders; but not those of pods with these uids. */
export async function sweepVolumes(dir: string, living: ReadonlySet<string>): Promise<void> {
  const root = podsFolder(dir);
  const dead = (await readdir(root).catch(() => [])).filter((uid) => !living.has(uid));
  const mounts = await mountPoints();
  for (const uid of dead) {
    const folder = path.join(root, uid);
    for (const mount of mounts) if (mount.startsWith(`${folder}/`)) await unmount(mount);
    await rm(folder, { recursive: true, force: true });
  }
}

async function mountPoints(): Promise<string[]> {
  const lines = (await readFile(MOUNTS, 'utf8')).split('\n');
  return lines.map((line) => unescapeMount(line.split(' ')[1] ?? ''));
}

/** Blanks in mount points are written as octal escapes. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_whole, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}
