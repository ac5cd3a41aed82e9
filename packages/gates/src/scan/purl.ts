import type { Ecosystem, OperatingSystem, Package } from './inventory-types.ts';

/** A package URL taken apart (github.com/package-url/purl-spec). */
export interface Purl {
  readonly type: string;
  /** With slashes, empty when there is none. */
  readonly namespace: string;
  readonly name: string;
  readonly version: string | undefined;
  readonly qualifiers: ReadonlyMap<string, string>;
}

export function parsePurl(written: string): Purl | undefined {
  const match = /^pkg:\/{0,2}([A-Za-z][A-Za-z0-9.+-]*)\/([^?#]+)(?:\?([^#]*))?(?:#.*)?$/.exec(written.trim());
  if (match === null) return undefined;
  const [, type = '', place = '', query = ''] = match;
  const at = place.lastIndexOf('@');
  // An @ at the beginning of a part belongs to an npm scope.
  const hasVersion = at > 0 && place[at - 1] !== '/';
  const parts = (hasVersion ? place.slice(0, at) : place).split('/').filter(Boolean).map(decode);
  const name = parts.pop();
  if (name === undefined) return undefined;
  const version = hasVersion ? decode(place.slice(at + 1)) : undefined;
  return {
    type: type.toLowerCase(),
    namespace: parts.join('/'),
    name,
    version,
    qualifiers: qualifiersOf(query),
  };
}

function qualifiersOf(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').filter(Boolean);
  return new Map(
    pairs.map((pair) => {
      const [key = '', value = ''] = pair.split('=', 2);
      return [key.toLowerCase(), decode(value)];
    }),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Does `pattern` name what `purl` names? What the pattern leaves out is any. */
export function coversPurl(pattern: Purl, purl: Purl): boolean {
  const isSame =
    pattern.type === purl.type && pattern.namespace === purl.namespace && pattern.name === purl.name;
  if (!isSame || (pattern.version !== undefined && pattern.version !== purl.version)) return false;
  return [...pattern.qualifiers].every(([key, value]) => {
    const own = purl.qualifiers.get(key);
    return own === undefined || own === value;
  });
}

/** The package URL of a package. */
export function packageUrl(installed: Package, os: OperatingSystem | undefined): string {
  const { ecosystem, name, version } = installed;
  const encodedVersion = encodeURIComponent(version);
  switch (ecosystem) {
    case 'npm':
      return `pkg:npm/${encodeURIComponent(name).replace('%2F', '/')}@${encodedVersion}`;
    case 'pypi':
      return `pkg:pypi/${encodeURIComponent(name.toLowerCase().replaceAll('_', '-'))}@${encodedVersion}`;
    case 'go':
      return `pkg:golang/${name.split('/').map(encodeURIComponent).join('/')}@${encodedVersion}`;
    case 'dpkg':
    case 'apk':
      return distributionUrl(installed, os);
    default:
      return `pkg:generic/${encodeURIComponent(name)}@${encodedVersion}`;
  }
}

function distributionUrl(
  { ecosystem, name, version, architecture }: Package,
  os: OperatingSystem | undefined,
): string {
  const family = os?.family ?? (ecosystem === 'dpkg' ? 'debian' : 'alpine');
  const qualifiers = [architecture && `arch=${architecture}`, os && `distro=${family}-${os.version}`].filter(
    Boolean,
  );
  const query = qualifiers.length > 0 ? `?${qualifiers.join('&')}` : '';
  const type = ecosystem === 'dpkg' ? 'deb' : 'apk';
  return `pkg:${type}/${family}/${encodeURIComponent(name)}@${encodeURIComponent(version)}${query}`;
}

const ECOSYSTEMS: Readonly<Record<string, Ecosystem>> = {
  npm: 'npm',
  pypi: 'pypi',
  golang: 'go',
  deb: 'dpkg',
  apk: 'apk',
};

/** undefined for a kind of package this scan knows nothing about. */
export function ecosystemOf({ type }: Purl): Ecosystem | undefined {
  return Object.hasOwn(ECOSYSTEMS, type) ? ECOSYSTEMS[type] : undefined;
}
