import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, run } from '@updraft/kit';
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

/** Where mirrors are found when the host is no Debian machine. */
const DEFAULT_MIRRORS = {
  main: 'http://deb.debian.org/debian',
  security: 'http://deb.debian.org/debian-security',
};

/** Writes the root file system of a release as a tar. @throws StandInFault IMAGE_STAND_IN_FAILED */
export async function makeDebian(suite: string, tar: string, onLog: (line: string) => void): Promise<void> {
  onLog(`Assembling Debian ${suite} from its archive (about half a minute, once)`);
  const mirrors = await hostMirrors();
  const excludes = LEFT_OUT.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const keepCopyright = '--dpkgopt=path-include=/usr/share/doc/*/copyright';
  const sources = [
    `deb ${mirrors.main} ${suite} main`,
    `deb ${mirrors.main} ${suite}-updates main`,
    `deb ${mirrors.security} ${suite}-security main`,
  ];
  const keyring = '--keyring=/usr/share/keyrings';
  const fixed = ['--variant=minbase', '--include=ca-certificates', keyring, ...excludes, keepCopyright];
  const result = await run('mmdebstrap', [...fixed, ...forgetMachine(), suite, tar, ...sources], {
    env: { SOURCE_DATE_EPOCH: '1' },
  });
  if (result.code === 0) return;
  await rm(tar, { force: true });
  const why = result.stderr
    .split('\n')
    .filter((line) => /^[EW]:/.test(line))
    .slice(-4)
    .join('\n');
  throw new StandInFault('IMAGE_STAND_IN_FAILED', `mmdebstrap could not assemble Debian ${suite}: ${why}`, {
    next: `Check that ${mirrors.main} can be reached and that the disk has a gigabyte free.`,
  });
}

/** What mmdebstrap takes over from this machine has no place in an image. */
const forgetMachine = (): readonly string[] => [
  '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
  '--customize-hook=rm -rf "$1/var/lib/apt/lists" && mkdir -p "$1/var/lib/apt/lists/partial"',
];

/** The mirrors that the host itself uses, when it is Debian. */
async function hostMirrors(): Promise<{ main: string; security: string }> {
  const text = (await aptSources()).join('\n');
  const uris = [...text.matchAll(/^\s*(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(https?:\/\/\S+)/gim)].map(
    (match) => (match[1] ?? '').replace(/\/$/, ''),
  );
  return {
    main: uris.find((uri) => uri.endsWith('/debian')) ?? DEFAULT_MIRRORS.main,
    security: uris.find((uri) => uri.endsWith('/debian-security')) ?? DEFAULT_MIRRORS.security,
  };
}

async function aptSources(): Promise<readonly string[]> {
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch(nothingThere<string[]>([]));
  const files = ['/etc/apt/sources.list', ...names.map((name) => path.join(folder, name))];
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(nothingThere(''))));
}

const nothingThere =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EISDIR') return instead;
    throw error;
  };
