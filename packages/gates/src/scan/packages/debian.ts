import type { DistributionPackage, FileFacts, FileReader } from './facts.ts';
import { paragraphs } from './paragraphs.ts';

const MEBIBYTE = 1024 * 1024;

function toPackage(fields: ReadonlyMap<string, string>): readonly DistributionPackage[] {
  const name = fields.get('Package');
  const version = fields.get('Version');
  const status = fields.get('Status');
  if (name === undefined || version === undefined || version === '') return [];
  // The last of the three words is what is there; a distroless image writes no status at all.
  if (status !== undefined && !/\binstalled$/.test(status)) return [];
  const source = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(fields.get('Source') ?? '');
  return [
    {
      ecosystem: 'dpkg',
      name,
      version,
      architecture: fields.get('Architecture'),
      sourceName: source?.[1] ?? name,
      sourceVersion: source?.[2] ?? version,
    },
  ];
}

function readStatus(text: string): FileFacts {
  return { kind: 'distribution', packages: paragraphs(text).flatMap(toPackage) };
}

/** Only files that could be taken for packages of a language are kept. */
const LANGUAGE_FILE =
  /(?:^|\/)(?:package\.json|METADATA|PKG-INFO|[^/]+\.egg-info)$|\/(?:s?bin|libexec)\/[^/]+$/;

export const DEBIAN_READERS: readonly FileReader[] = [
  { pattern: /^var\/lib\/dpkg\/status$/, maxBytes: 64 * MEBIBYTE, read: readStatus },
  { pattern: /^var\/lib\/dpkg\/status\.d\/[^/]+(?<!\.md5sums)$/, maxBytes: MEBIBYTE, read: readStatus },
  {
    pattern: /^var\/lib\/dpkg\/info\/[^/]+\.list$/,
    maxBytes: 16 * MEBIBYTE,
    read: (text) => ({
      kind: 'owned',
      paths: text
        .split('\n')
        .filter((path) => LANGUAGE_FILE.test(path))
        .map(ownedPath),
    }),
  },
  {
    pattern: /^etc\/debian_version$/,
    maxBytes: 1024,
    read: (text) => ({ kind: 'debian-version', version: text.trim() }),
  },
];

/** Without the leading slash, and where it lies since /lib became a link to usr/lib. */
export function ownedPath(path: string): string {
  return path.replace(/^\/+/, '').replace(/^(bin|lib|lib64|sbin)\//, 'usr/$1/');
}
