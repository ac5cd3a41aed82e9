import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent, run } from '@updraft/kit';

/** One archive of a release: where, which suite, which components. */
interface Archive {
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
}

const DEFAULT_ARCHIVE = 'http://deb.debian.org/debian';
const DEFAULT_SECURITY = 'http://deb.debian.org/debian-security';

/**
 * The archives of a release, in the form of /etc/apt/sources.list. A Debian host tells by its own sources which mirror
 * to use; any other host uses Debian's. `root` is where the host's files are.
 */
export async function sourceLines(suite: string, root = '/'): Promise<string[]> {
  const host = await hostArchives(root);
  const find = (ending: string) => host.find(({ suite: known }) => known === ending);
  const archive = find('');
  const updates = find('-updates') ?? archive;
  const security = find('-security');
  const line = (uri: string, ending: string) => `deb ${uri} ${suite}${ending} main`;
  return [
    line(archive?.uri ?? DEFAULT_ARCHIVE, ''),
    line(updates?.uri ?? DEFAULT_ARCHIVE, '-updates'),
    // A mirror without a security archive: the original has it.
    line(security?.uri ?? DEFAULT_SECURITY, '-security'),
  ];
}

/** The host's own release, each suite reduced to what follows the release's name; none when it is no Debian. */
async function hostArchives(root: string): Promise<Archive[]> {
  const release = (await readTextIfPresent(path.join(root, 'etc/os-release'))) ?? '';
  const field = (name: string) => new RegExp(`^${name}="?([a-z0-9.]+)"?$`, 'm').exec(release)?.[1];
  const codename = field('VERSION_CODENAME');
  if (field('ID') !== 'debian' || !codename) return [];
  const known = ['', '-updates', '-security'].map((ending) => codename + ending);
  const archives = await readSources(root);
  return archives
    .filter(
      ({ suite, uri, components }) =>
        known.includes(suite) && isUsable(uri) && components.split(' ').includes('main'),
    )
    .map((archive) => ({ ...archive, suite: archive.suite.slice(codename.length) }));
}

/** A password in an address must not end up in an image, and files of the host are not there. */
function isUsable(uri: string): boolean {
  return /^https?:\/\/[^@\s]+$/.test(uri);
}

async function readSources(root: string): Promise<Archive[]> {
  const folder = path.join(root, 'etc/apt/sources.list.d');
  const names = await readdir(folder).catch(() => []);
  const files = [
    path.join(root, 'etc/apt/sources.list'),
    ...names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => path.join(folder, name)),
  ];
  const archives: Archive[] = [];
  for (const file of files) {
    const text = (await readTextIfPresent(file)) ?? '';
    if (file.endsWith('.list')) archives.push(...parseList(text));
    if (file.endsWith('.sources')) archives.push(...parseStanzas(text));
  }
  return archives;
}

/** `deb [options] uri suite components…` */
export function parseList(text: string): Archive[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match) return [];
    const [, uri = '', suite = '', components = ''] = match;
    return [{ uri: uri.replace(/\/$/, ''), suite, components: components.trim() }];
  });
}

/** Stanzas of `Field: value`, as of deb822. */
export function parseStanzas(text: string): Archive[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';
    if (!field('Types').split(/\s+/).includes('deb') || field('Enabled').toLowerCase() === 'no') return [];
    const [uri = ''] = field('URIs').split(/\s+/);
    const components = field('Components');
    return field('Suites')
      .split(/\s+/)
      .map((suite) => ({ uri: uri.replace(/\/$/, ''), suite, components }));
  });
}

/** Options that make apt inside use the host's proxy. One on the host's own loopback would not be reached from a pod. */
export async function proxyOptions(): Promise<string[]> {
  const names = ['Acquire::http::Proxy', 'Acquire::https::Proxy'];
  const result = await run('apt-config', ['dump', '--format=%f %v%n', ...names]).catch(() => undefined);
  return (result?.stdout ?? '').split('\n').flatMap((line) => {
    const [name = '', value = ''] = line.trim().split(' ');
    const isProxy = /^https?:\/\/[^@\s"]+$/.test(value) && !/\/\/(localhost|127\.|\[::1\])/.test(value);
    return isProxy && names.includes(name) ? [`${name} "${value}";`] : [];
  });
}
