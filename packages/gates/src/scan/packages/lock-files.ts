import { parse } from 'yaml';
import type { FileFacts, FileReader, LanguageFile, LanguagePackage } from './facts.ts';
import { object, text } from '../json.ts';
import type { Json } from '../json.ts';

const MAX_BYTES = 64 * 1024 * 1024;

/** The same package may be needed in several places. */
function facts(
  ecosystem: 'npm' | 'pypi' | 'go',
  type: LanguageFile,
  packages: readonly LanguagePackage[],
): FileFacts {
  const byName = new Map<string, LanguagePackage>();
  for (const found of packages) {
    if (found.name === '' || found.version === '') continue;
    const key = `${found.name}@${found.version}`;
    // Needed for more than development once is enough.
    if (byName.get(key)?.isDev ?? true) byName.set(key, found);
  }
  return { kind: 'language', ecosystem, type, packages: [...byName.values()] };
}

function named(name: string, version: string, isDev: boolean): LanguagePackage {
  return { name, version, ...(isDev && { isDev }) };
}

/** Versions 2 and 3 list paths; version 1 nests. */
function readPackageLock(content: string): FileFacts {
  const lock = object(JSON.parse(content));
  const paths = object(lock['packages']);
  const found =
    Object.keys(paths).length > 0
      ? Object.entries(paths).flatMap(lockedPath)
      : nested(object(lock['dependencies']));
  return facts('npm', 'npm', found);
}

function lockedPath([path, entry]: [string, unknown]): readonly LanguagePackage[] {
  const { name, version, dev, devOptional, link } = object(entry);
  const folder = path.split('node_modules/').at(-1) ?? '';
  // The project itself, its workspaces, and links to them.
  if (!path.includes('node_modules/') || link === true) return [];
  return [named(text(name) || folder, text(version), dev === true || devOptional === true)];
}

function nested(dependencies: Json): readonly LanguagePackage[] {
  return Object.entries(dependencies).flatMap(([name, entry]) => {
    const { version, dev, dependencies: own } = object(entry);
    const alias = /^npm:(.+)@([^@]+)$/.exec(text(version));
    return [named(alias?.[1] ?? name, alias?.[2] ?? text(version), dev === true), ...nested(object(own))];
  });
}

/** Both of yarn's forms: a line with the specifiers, and below it, indented, the version. */
function readYarnLock(content: string): FileFacts {
  const packages = content.split(/\r?\n(?=\S)/).flatMap((block) => {
    const [head = ''] = block.split('\n');
    if (head.startsWith('#') || head.startsWith('__metadata') || /@workspace:/.test(head)) return [];
    const name = /^"?(@?[^@\s"]+)@/.exec(head)?.[1] ?? '';
    const alias = /@npm:(@?[^@\s"]+)@/.exec(head)?.[1];
    const version = /\n {2}version:? "?([^"\s]+)"?/.exec(block)?.[1] ?? '';
    return [named(alias ?? name, version, false)];
  });
  return facts('npm', 'yarn', packages);
}

/** `/name/1.2.3`, `/name@1.2.3`, `name@1.2.3`, each perhaps with the peers it was resolved with behind. */
function readPnpmLock(content: string): FileFacts {
  const lock = object(parse(content, { maxAliasCount: 0 }));
  const packages = Object.entries(object(lock['packages'])).map(([key, entry]) => {
    const plain = key.replace(/^\//, '').replace(/\(.*$/, '');
    const match =
      /^((?:@[^/]+\/)?[^/@]+)@([^@]+)$/.exec(plain) ?? /^((?:@[^/]+\/)?[^/]+)\/([^/_]+)/.exec(plain);
    const { name, version, dev } = object(entry);
    return named(text(name) || (match?.[1] ?? ''), text(version) || (match?.[2] ?? ''), dev === true);
  });
  return facts('npm', 'pnpm', packages);
}

/** Only what is pinned has a version to judge. */
function readRequirements(content: string): FileFacts {
  const packages = content.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;#,*]+)/.exec(line);
    return match?.[1] === undefined ? [] : [named(match[1], match[2] ?? '', false)];
  });
  return facts('pypi', 'pip', packages);
}

function readPipfileLock(content: string): FileFacts {
  const { default: needed, develop } = object(JSON.parse(content));
  const section = (entries: Json, isDev: boolean) =>
    Object.entries(entries).map(([name, entry]) =>
      named(name, text(object(entry)['version']).replace(/^==/, ''), isDev),
    );
  return facts('pypi', 'pipenv', [...section(object(needed), false), ...section(object(develop), true)]);
}

function readPoetryLock(content: string): FileFacts {
  const packages = content
    .split(/^\[\[package\]\]$/m)
    .slice(1)
    .map((block) => {
      const value = (key: string) => new RegExp(`^${key}\\s*=\\s*"([^"]*)"`, 'm').exec(block)?.[1] ?? '';
      return named(value('name'), value('version'), value('category') === 'dev');
    });
  return facts('pypi', 'poetry', packages);
}

/** Lines of `require`; a `replace` with a version counts instead. */
function readGoMod(content: string): FileFacts {
  const lines = content.split(/\r?\n/).map((line) => line.replace(/\/\/.*$/, '').trim());
  const required = new Map<string, LanguagePackage>();
  for (const line of lines) {
    const match = /^(?:require\s+)?([^\s()]+\.[^\s()]+)\s+(v\d\S*)$/.exec(line);
    if (match?.[1] !== undefined) required.set(match[1], { name: match[1], version: match[2] ?? '' });
  }
  for (const line of lines) {
    const match = /^(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\S+)(?:\s+(v\S+))?$/.exec(line);
    if (match?.[1] === undefined || !required.delete(match[1])) continue;
    if (match[3] !== undefined) required.set(match[1], { name: match[2] ?? '', version: match[3] });
  }
  return facts('go', 'gomod', [...required.values()]);
}

const READERS: readonly (readonly [RegExp, FileReader['read']])[] = [
  [/package-lock\.json|npm-shrinkwrap\.json/, readPackageLock],
  [/yarn\.lock/, readYarnLock],
  [/pnpm-lock\.yaml/, readPnpmLock],
  [/requirements\.txt/, readRequirements],
  [/Pipfile\.lock/, readPipfileLock],
  [/poetry\.lock/, readPoetryLock],
  [/go\.mod/, readGoMod],
];

/** Lock files of a project; those of packages that are installed in it are their makers'. */
export const LOCK_FILE_READERS: readonly FileReader[] = READERS.map(([name, read]) => ({
  pattern: new RegExp(`^(?!(?:.*/)?(?:node_modules|vendor|\\.git)/)(?:.*/)?(?:${name.source})$`),
  maxBytes: MAX_BYTES,
  read,
}));
