import { rm } from 'node:fs/promises';
import { run } from '@updraft/kit';
import { proxyOptions, sourceLines } from '../apt-sources.ts';
import { StandInFault } from '../fault.ts';

const SUITES: Readonly<Record<string, string>> = {
  '11': 'bullseye',
  '12': 'bookworm',
  '13': 'trixie',
  latest: 'trixie',
  stable: 'trixie',
};

/** The Debian release that a tag of `debian` means; undefined for tags that are none. */
export function debianSuite(tag: string | undefined): string | undefined {
  const name = (tag ?? 'latest').replace(/-slim$/, '').replace(/-\d{8}$/, '');
  const suite = SUITES[name.split('.')[0] ?? ''] ?? name;
  return Object.values(SUITES).includes(suite) ? suite : undefined;
}

/** What the slim image leaves out as well; it is a third of the size. */
const LEFT_OUT = ['doc', 'man', 'info', 'locale', 'groff', 'lintian', 'linda'];

/** Writes the root file system of a release as a tar. @throws StandInFault IMAGE_STAND_IN_FAILED */
export async function makeDebian(suite: string, tar: string, onLog: (line: string) => void): Promise<void> {
  onLog(`Assembling Debian ${suite} from its archive (about half a minute, once)`);
  const excludes = LEFT_OUT.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const keepCopyright = '--dpkgopt=path-include=/usr/share/doc/*/copyright';
  const apt = ['Acquire::Languages "none";', 'Acquire::GzipIndexes "true";', ...(await proxyOptions())];
  const aptOptions = apt.map((option) => `--aptopt=${option}`);
  const keyring = '--keyring=/usr/share/keyrings';
  const fixed = [
    '--variant=minbase',
    '--include=ca-certificates',
    keyring,
    ...excludes,
    keepCopyright,
    ...aptOptions,
  ];
  const result = await run(
    'mmdebstrap',
    [...fixed, ...forgetMachine(), suite, tar, ...(await sourceLines(suite))],
    {
      env: { SOURCE_DATE_EPOCH: '1' },
    },
  );
  if (result.code === 0) return;
  await rm(tar, { force: true });
  const why = result.stderr
    .split('\n')
    .filter((line) => /^[EW]:/.test(line))
    .slice(-4)
    .join('\n');
  throw new StandInFault('IMAGE_STAND_IN_FAILED', `mmdebstrap could not assemble Debian ${suite}: ${why}`, {
    next: 'Check that the Debian archive can be reached (`apt-get update`) and that the disk has a gigabyte free.',
  });
}

/** What mmdebstrap takes over from this machine has no place in an image. */
const forgetMachine = (): readonly string[] => [
  '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
  '--customize-hook=rm -rf "$1/var/lib/apt/lists" && mkdir -p "$1/var/lib/apt/lists/partial"',
];
