import type { DistributionPackage, FileFacts, FileReader } from './facts.ts';
import { singlePackage } from './facts.ts';
import { fields } from './paragraphs.ts';

const MEBIBYTE = 1024 * 1024;

/** Ubuntu and Debian: `KEY=value`, quotes around values that need them. */
function readOsRelease(text: string): FileFacts {
  const pairs = text.split('\n').flatMap((line) => {
    const match = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    return match?.[1] === undefined ? [] : [[match[1], match[2] ?? match[3] ?? match[4] ?? ''] as const];
  });
  return { kind: 'os-release', fields: Object.fromEntries(pairs) };
}

function readNpm(text: string): FileFacts {
  const content: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (typeof content !== 'object' || content === null) return { kind: 'nothing' };
  const { name, version } = content as { name?: unknown; version?: unknown };
  if (typeof name !== 'string' || typeof version !== 'string' || name === '') return { kind: 'nothing' };
  return singlePackage('npm', 'node-pkg', name, version);
}

function readPython(text: string): FileFacts {
  const headers = fields(text.split(/\r?\n\r?\n/)[0] ?? '');
  const name = headers.get('Name');
  const version = headers.get('Version');
  if (name === undefined || version === undefined) return { kind: 'nothing' };
  return singlePackage('pypi', 'python-pkg', name, version);
}

/** apk's database: one letter, colon, value. */
function readApk(text: string): FileFacts {
  const packages = text.split(/\n\n+/).flatMap((paragraph): DistributionPackage[] => {
    const values = fields(paragraph);
    const name = values.get('P');
    const version = values.get('V');
    if (name === undefined || version === undefined) return [];
    const sourceName = values.get('o') ?? name;
    return [
      { ecosystem: 'apk', name, version, architecture: values.get('A'), sourceName, sourceVersion: version },
    ];
  });
  return { kind: 'distribution', packages };
}

/** Packages that are installed: a package's own tests and examples below it are not. */
const NPM_PACKAGE = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/;

const PYTHON_PACKAGE = /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$|(?:^|\/)EGG-INFO\/PKG-INFO$/;

export const SYSTEM_READERS: readonly FileReader[] = [
  { pattern: /^(?:usr\/lib|etc)\/os-release$/, maxBytes: 64 * 1024, read: readOsRelease },
  {
    pattern: /^lib\/apk\/db\/installed$|^usr\/lib\/apk\/db\/installed$/,
    maxBytes: 64 * MEBIBYTE,
    read: readApk,
  },
];

/** What is installed, as images and root file systems have it. */
export const INSTALLED_READERS: readonly FileReader[] = [
  { pattern: NPM_PACKAGE, maxBytes: 4 * MEBIBYTE, read: readNpm },
  { pattern: PYTHON_PACKAGE, maxBytes: 4 * MEBIBYTE, read: readPython },
];
