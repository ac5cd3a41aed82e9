import path from 'node:path';
import type { Undo } from '@updraft/kit';
import type { ContainerSpec, Mount } from '../types.ts';
import type { OciMount } from './bundle.ts';
import { mountOverlay } from './overlay.ts';
import type { TargetLayers } from './target-layers.ts';

/** A container's root, mounted, and what runc has to mount in it. */
export interface FileSystem {
  readonly root: string;
  readonly mounts: readonly OciMount[];
}

/** Files every container of the pod gets: path inside -> path on the host. */
export type PodFiles = Readonly<Record<string, string>>;

/**
 * Mounts the root and the overlays of `spec` below `folder`. Targets of mounts are made in a layer below the image's,
 * so that the container's upper directory holds what the container wrote and nothing of ours.
 */
export async function prepareFileSystem(
  spec: ContainerSpec,
  where: { folder: string; layers: TargetLayers; podFiles: PodFiles },
  undo: Undo,
): Promise<FileSystem> {
  const { folder, layers, podFiles } = where;
  const mounts: OciMount[] = [];
  for (const [index, mount] of (spec.mounts ?? []).entries()) {
    mounts.push(await ociMount(mount, path.join(folder, `mount-${index}`), undo));
  }
  const targets = await layers.layerFor(mounts, absolute(spec.workingDir));
  const root = path.join(folder, 'root');
  const overlay = await mountOverlay({
    lower: [...spec.rootFs.layers, targets],
    upper: spec.rootFs.upper ?? path.join(folder, 'upper'),
    target: root,
  });
  undo.add(() => overlay.remove());
  const taken = new Set(mounts.map((mount) => mount.destination));
  const standard = Object.entries(podFiles)
    .filter(([target]) => !taken.has(target))
    .map(([target, source]) => bind(source, target, false));
  return { root, mounts: [...standard, ...mounts] };
}

async function ociMount(mount: Mount, target: string, undo: Undo): Promise<OciMount> {
  if (mount.kind === 'bind') return bind(mount.source, absolute(mount.target), mount.readOnly);
  if (mount.kind === 'overlay') return ociOverlay(mount, target, undo);
  const mode = `mode=${(mount.mode ?? 0o1777).toString(8)}`;
  const size = mount.sizeBytes ? [`size=${mount.sizeBytes}`] : [];
  const options = ['nosuid', 'nodev', mode, ...size];
  return { destination: absolute(mount.target), type: 'tmpfs', source: 'tmpfs', options };
}

async function ociOverlay(
  mount: Extract<Mount, { kind: 'overlay' }>,
  target: string,
  undo: Undo,
): Promise<OciMount> {
  const overlay = await mountOverlay({ lower: mount.lower, upper: mount.upper, target });
  undo.add(() => overlay.remove());
  return bind(target, absolute(mount.target), false);
}

function absolute(target: string): string {
  return path.posix.normalize(`/${target}`);
}

function bind(source: string, destination: string, readOnly: boolean): OciMount {
  return { destination, type: 'bind', source, options: ['rbind', 'rprivate', ...(readOnly ? ['ro'] : [])] };
}
