import { OciFault } from './faults.ts';
import type { Index } from './manifest.ts';
import type { Descriptor } from './types.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** This machine's processor as images name it. */
export function machineArchitecture(): string {
  return ARCHITECTURES[process.arch] ?? process.arch;
}

/** `os/architecture[/variant]` in parts. @throws OciFault PLATFORM_MISSING when it has another form */
function partsOf(text: string): { os: string; architecture: string; variant: string | undefined } {
  const [os = '', architecture = '', variant, ...more] = text.split('/');
  if (os !== '' && architecture !== '' && more.length === 0) return { os, architecture, variant };
  throw new OciFault('PLATFORM_MISSING', `${JSON.stringify(text.slice(0, 100))} is not a platform`, {
    next: 'Write it as linux/amd64 or linux/arm64/v8.',
  });
}

/** What runs on a processor that asks for nothing special, the best first; other variants may not. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  amd64: ['v1', 'v2'],
  arm64: ['v8'],
  arm: ['v7', 'v6', 'v5'],
};

/**
 * The manifest of an index that is made for a platform (`linux/arm64`, `linux/arm/v7`); the default is Linux on this
 * processor.
 * @throws OciFault PLATFORM_MISSING that names what there is instead
 */
export function choosePlatform(index: Index, wanted = `linux/${machineArchitecture()}`): Descriptor {
  const { os, architecture, variant } = partsOf(wanted);
  const fitting = index.manifests.filter(
    ({ platform }) => platform?.os === os && platform.architecture === architecture,
  );
  const order = variant === undefined ? [undefined, ...(VARIANTS[architecture] ?? [])] : [variant];
  const ranked = order.flatMap((each) => fitting.filter(({ platform }) => platform?.variant === each));
  // An image that only names a variant we have never heard of is still the best there is, unless one was asked for.
  const chosen = ranked[0] ?? (variant === undefined ? fitting[0] : undefined);
  if (chosen) return chosen;
  const only = index.manifests[0];
  if (index.manifests.length === 1 && only && only.platform === undefined) return only;
  const there = index.manifests.map(({ platform }) =>
    platform ? [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/') : '?',
  );
  throw new OciFault(
    'PLATFORM_MISSING',
    `the image is not made for ${wanted}, only for ${there.slice(0, 10).join(', ') || 'nothing'}`,
  );
}
