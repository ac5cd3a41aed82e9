import { homedir } from 'node:os';
import path from 'node:path';
import { isProtectedRef } from '@updraft/gitlab-ci';
import type { CommitFacts, Variable } from '@updraft/gitlab-ci';
import { ANYWHERE, confinementOf } from '../confinement.ts';
import type { Confinement } from '../confinement.ts';
import { YamlFile, readSettingsText } from '../yaml-file.ts';
import type { Entry } from '../yaml-tree.ts';
import { readOptionsFile } from './options-file.ts';
import { sectionsFor } from './sections.ts';
import { readEntry } from './variable-entry.ts';
import type { Dialect, Setting } from './variable-entry.ts';

export interface UserVariables {
  /** Strongest last; for some environments only where a scope says so. */
  readonly variables: readonly Variable[];
  /** By name: the file and line that set it, the strongest last where there are several. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface VariablePlaces {
  /** Top folder of the repository. */
  readonly dir: string;
  /** UPDRAFT_HOME. */
  readonly home: string;
  /** The user's home folder; default: the one of the user who runs this. */
  readonly userHome?: string;
}

/**
 * Reads the variables that the user's files set for this project.
 * @throws ProjectFault SETTINGS_INVALID with every mistake of the first file that has one
 */
export async function readUserVariables(places: VariablePlaces, facts: CommitFacts): Promise<UserVariables> {
  const found: FoundSetting[] = [];
  for (const source of sourcesOf(places, facts)) found.push(...(await source()));
  const isProtected = isProtectedRef(facts, facts.tag ?? facts.branch ?? facts.sha);
  const counting = found.filter((setting) => isProtected || !setting.isProtected);
  return { variables: counting.map(variableOf), origins: originsOf(counting) };
}

interface FoundSetting extends Setting {
  readonly origin: string;
}

type Source = () => Promise<readonly FoundSetting[]>;

/** Weakest first. */
function sourcesOf(places: VariablePlaces, facts: CommitFacts): readonly Source[] {
  const { dir, home, userHome = homedir() } = places;
  const levels: Reading['levels'] = (entries, file) => sectionsFor(entries, facts, file);
  const peerHome = path.join(userHome, '.gitlab-ci-local/variables.yml');
  const ownHome = path.join(home, 'variables.yml');
  const inHome = (file: string, name: string, pathsAreFiles: boolean) => () =>
    readVariableFile({
      file,
      name,
      levels,
      userHome,
      pathsAreFiles,
      confine: () => Promise.resolve(ANYWHERE),
    });
  const inProject = (name: string, pathsAreFiles: boolean) => () =>
    readVariableFile({
      file: path.join(dir, name),
      name,
      levels: (entries) => [entries],
      userHome,
      pathsAreFiles,
      confine: () => confinementOf(dir, name),
    });
  return [
    inHome(peerHome, '~/.gitlab-ci-local/variables.yml', true),
    inHome(ownHome, shorten(ownHome, userHome), false),
    inProject(PEER_FILE, true),
    inProject(OWN_FILE, false),
    () => readOptionsFile(path.join(dir, PEER_OPTIONS), PEER_OPTIONS),
  ];
}

const PEER_FILE = '.gitlab-ci-local-variables.yml';
const PEER_OPTIONS = '.gitlab-ci-local-env';
const OWN_FILE = '.updraft/variables.yml';

const shorten = (file: string, userHome: string): string =>
  file.startsWith(`${userHome}/`) ? `~${file.slice(userHome.length)}` : file;

interface Reading extends Pick<Dialect, 'userHome' | 'pathsAreFiles'> {
  readonly file: string;
  readonly name: string;
  /** The parts of the file that are meant for this project, weakest first. */
  readonly levels: (entries: readonly Entry[], file: YamlFile) => readonly (readonly Entry[])[];
  readonly confine: () => Promise<Confinement>;
}

async function readVariableFile(reading: Reading): Promise<readonly FoundSetting[]> {
  const text = await readSettingsText(reading.file, reading.name);
  if (text === undefined) return [];
  const dialect: Dialect = {
    dir: path.dirname(reading.file),
    userHome: reading.userHome,
    pathsAreFiles: reading.pathsAreFiles,
    confinement: await reading.confine(),
  };
  const file = new YamlFile(reading.name);
  const found: FoundSetting[] = [];
  for (const level of reading.levels(await file.parse(text), file)) {
    const settings: Setting[] = [];
    for (const entry of level) settings.push(...(await readEntry(entry, file, dialect)));
    const ordered = settings.toSorted((a, b) => rankOf(a.scope) - rankOf(b.scope));
    found.push(...ordered.map((setting) => ({ ...setting, origin: `${reading.name}:${setting.line}` })));
  }
  file.check();
  return found;
}

/** The better a scope fits the later it comes: one without `*` fits best, then the one with more letters. */
const rankOf = (scope: string): number =>
  scope.includes('*') ? scope.replaceAll('*', '').length : Number.MAX_SAFE_INTEGER;

const variableOf = ({ key, value, isFile, isRaw, masked, scope }: Setting): Variable => ({
  key,
  value,
  source: 'project',
  ...(isFile ? { file: true } : {}),
  ...(isRaw ? { raw: true } : {}),
  ...((masked ?? looksSecret(key, value)) ? { masked: true } : {}),
  ...(scope === '*' ? {} : { environmentScope: scope }),
});

/** GitLab masks nothing shorter, because short values stand in every log by chance. */
const LEAST_SECRET = 8;

/** Whether a variable of the user's is masked though nobody said so. */
export const looksSecret = (key: string, value: string): boolean =>
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIALS?|(?:PRIVATE|API|ACCESS|SECRET|SIGNING|DEPLOY|SSH)_KEY|KEY_DATA)$/i.test(
    key,
  ) && value.length >= LEAST_SECRET;

function originsOf(settings: readonly FoundSetting[]): ReadonlyMap<string, string> {
  const origins = new Map<string, string[]>();
  for (const { key, scope, origin } of settings) {
    const text = scope === '*' ? origin : `${origin} (environment ${scope})`;
    // One for all environments hides what weaker files say of any.
    origins.set(key, scope === '*' ? [text] : [...(origins.get(key) ?? []), text]);
  }
  return new Map([...origins].map(([key, texts]) => [key, texts.join(', ')]));
}
