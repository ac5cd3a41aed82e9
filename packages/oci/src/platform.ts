import { OciFault } from './faults.ts';
import type { Index } from './manifest.ts';
import type { Descriptor } from './types.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** This machine's processor as images name it. */
export function machineArchitecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

/**
 * The manifest of an index that is made for Linux on this processor.
 * @throws OciFault PLATFORM_MISSING that names what there is instead
 */
export function choosePlatform(index: Index, architecture = machineArchitecture()): Descriptor {
  const fitting = index.manifests.filter(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  // Variants (arm64/v8) are refinements; the plain one is the safest.
  const chosen = fitting.find(({ platform }) => platform?.variant === undefined) ?? fitting[0];
  if (chosen) return chosen;
  const only = index.manifests[0];
  if (index.manifests.length === 1 && only && only.platform === undefined) return only;
  const there = index.manifests.map(({ platform }) =>
    platform ? `${platform.os}/${platform.architecture}` : '?',
  );
  throw new OciFault(
    'PLATFORM_MISSING',
    `the image is not made for linux/${architecture}, only for ${there.slice(0, 10).join(', ') || 'nothing'}`,
  );
}
