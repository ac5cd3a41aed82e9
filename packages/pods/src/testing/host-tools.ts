import { existsSync } from 'node:fs';
import type { ContainerSpec, Mount } from '../types.ts';

/** Where `hostToolsMounts` puts the Node program that runs the tests. */
export const NODE_IN_CONTAINER = '/opt/node';

/** The host's programs, read-only, for a root without any layer: tests need no image to run `sh`, `cat` or Node. */
export function hostToolsMounts(): readonly Mount[] {
  const folders = ['/usr', '/bin', '/sbin', '/lib', '/lib64'].filter((folder) => existsSync(folder));
  return [
    ...folders.map((folder): Mount => ({ kind: 'bind', source: folder, target: folder, readOnly: true })),
    { kind: 'bind', source: process.execPath, target: NODE_IN_CONTAINER, readOnly: true },
  ];
}

/** A container of nothing but the host's programs. */
export function toolsContainer(command: readonly string[], more: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'main',
    rootFs: { layers: [] },
    env: {},
    workingDir: '/',
    command,
    ...more,
    mounts: [...hostToolsMounts(), ...(more.mounts ?? [])],
  };
}

/** Collects what a container prints. */
export function recorder(): {
  onStdout(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
  readonly stdout: string;
  readonly stderr: string;
} {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  return {
    onStdout: (chunk) => void chunks.stdout.push(chunk),
    onStderr: (chunk) => void chunks.stderr.push(chunk),
    get stdout() {
      return Buffer.concat(chunks.stdout).toString();
    },
    get stderr() {
      return Buffer.concat(chunks.stderr).toString();
    },
  };
}
