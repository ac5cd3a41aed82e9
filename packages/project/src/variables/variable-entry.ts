import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@updraft/kit';
import type { Confinement } from '../confinement.ts';
import type { YamlFile } from '../yaml-file.ts';
import type { Entry, Value } from '../yaml-tree.ts';

/** A variable of a file, with what decides whether and where it counts. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly isFile: boolean;
  readonly isRaw: boolean;
  /** Undefined: by its name. */
  readonly masked: boolean | undefined;
  readonly isProtected: boolean;
  /** `*` for all. */
  readonly scope: string;
  readonly line: number;
}

/** Whose way of writing the file is in. */
export interface Dialect {
  /** Folder that relative paths start from. */
  readonly dir: string;
  /** What `~` means. */
  readonly userHome: string;
  /** A plain value that is the path of a file stands for the file (gitlab-ci-local). */
  readonly pathsAreFiles: boolean;
  /** Which files may be named. */
  readonly confinement: Confinement;
}

const OPTIONS = [
  'value',
  'values',
  'path',
  'type',
  'masked',
  'protected',
  'raw',
  'environment',
  'description',
];

/** Reads one name of a file: a text, a map with options, or a list of such maps for several environments. */
export async function readEntry(entry: Entry, file: YamlFile, dialect: Dialect): Promise<readonly Setting[]> {
  if (!/^[A-Za-z_]\w*$/.test(entry.key)) {
    file.wrong(
      entry.line,
      `${JSON.stringify(entry.key)} is no name of a variable: letters, digits and _ make one`,
    );
    return [];
  }
  const settings: Setting[] = [];
  for (const value of entry.value.items ?? [entry.value]) {
    settings.push(...(await readValue(entry, value, { file, dialect })));
  }
  return settings;
}

interface Place {
  readonly file: YamlFile;
  readonly dialect: Dialect;
}

async function readValue({ key, line }: Entry, value: Value, place: Place): Promise<readonly Setting[]> {
  const { file, dialect } = place;
  if (value.text !== undefined) {
    const content = dialect.pathsAreFiles ? await fileNamedBy(value.text, dialect) : undefined;
    return [plain(key, line, { value: content ?? value.text, isFile: content !== undefined })];
  }
  if (!value.entries) {
    file.wrong(value.line, `${key} must be a text, or a map with one of value, values and path`);
    return [];
  }
  const options = new Map(value.entries.map((entry) => [entry.key, entry]));
  for (const option of value.entries) {
    if (!OPTIONS.includes(option.key)) {
      file.wrong(
        option.line,
        `${key} has the unknown option ${JSON.stringify(option.key)}: there are ${OPTIONS.join(', ')}`,
      );
    }
  }
  const common = readOptions(key, options, file);
  const scoped = await contentsOf({ key, line }, options, place);
  return scoped.map((content) => ({ ...plain(key, line, content), ...common, ...content }));
}

type Content = Pick<Setting, 'value'> & Partial<Pick<Setting, 'isFile' | 'scope' | 'line'>>;

const plain = (key: string, line: number, content: Content): Setting => ({
  key,
  line,
  isFile: false,
  isRaw: false,
  masked: undefined,
  isProtected: false,
  scope: '*',
  ...content,
});

function readOptions(key: string, options: ReadonlyMap<string, Entry>, file: YamlFile): Partial<Setting> {
  const oneOf = (name: string, words: readonly string[]): string | undefined => {
    const option = options.get(name);
    if (!option || words.includes(option.value.text ?? '')) return option?.value.text;
    file.wrong(option.line, `${name} of ${key} must be ${words.join(' or ')}`);
    return undefined;
  };
  const flag = (name: string): boolean | undefined => {
    const word = oneOf(name, ['true', 'false']);
    return word === undefined ? undefined : word === 'true';
  };
  const type = oneOf('type', ['variable', 'file', 'env_var']);
  const environment = options.get('environment');
  if (environment && !environment.value.text) {
    file.wrong(environment.line, `environment of ${key} must be a name`);
  }
  return {
    isFile: type === 'file' || options.has('path'),
    isRaw: flag('raw') ?? false,
    masked: flag('masked'),
    isProtected: flag('protected') ?? false,
    scope: environment?.value.text || '*',
  };
}

/** `value`; or `values` by environment; or the file at `path`. */
async function contentsOf(
  { key, line }: Pick<Entry, 'key' | 'line'>,
  options: ReadonlyMap<string, Entry>,
  { file, dialect }: Place,
): Promise<readonly Content[]> {
  const [given, ...more] = ['value', 'values', 'path'].flatMap((name) => options.get(name) ?? []);
  if (!given || more.length > 0) {
    file.wrong(line, `${key} must have exactly one of value, values and path`);
    return [];
  }
  if (given.key === 'values') return valuesOf(key, given, file);
  if (given.value.text === undefined) {
    file.wrong(given.line, `${given.key} of ${key} must be a text`);
    return [];
  }
  if (given.key === 'value') return [{ value: given.value.text }];
  const where = resolvePath(given.value.text, dialect);
  if (!(await dialect.confinement.allows(where))) {
    file.wrong(given.line, `${dialect.confinement.refusal}, not ${given.value.text}`);
    return [];
  }
  try {
    return [{ value: await readFile(where, 'utf8') }];
  } catch (error) {
    file.wrong(given.line, `the file of ${key} cannot be read: ${messageOf(error)}`);
    return [];
  }
}

function valuesOf(key: string, given: Entry, file: YamlFile): readonly Content[] {
  if (!given.value.entries) {
    file.wrong(given.line, `values of ${key} must be a map from environments to texts`);
    return [];
  }
  return given.value.entries.flatMap(({ key: scope, line, value }) => {
    if (value.text !== undefined && scope !== '') return [{ scope, value: value.text, line }];
    file.wrong(line, `values of ${key} must be a map from environments to texts`);
    return [];
  });
}

const resolvePath = (text: string, { dir, userHome }: Dialect): string =>
  path.resolve(dir, text.replace(/^~(?=\/|$)/, userHome));

const LIMIT_BYTES = 16 * 1024 * 1024;

/** A path that leads nowhere, or where it may not, is a text like any other. */
async function fileNamedBy(text: string, dialect: Dialect): Promise<string | undefined> {
  if (!/^[/~]/.test(text) || text.includes('\n')) return undefined;
  const where = resolvePath(text, dialect);
  if (!(await dialect.confinement.allows(where))) return undefined;
  const status = await stat(where).catch(() => undefined);
  return status?.isFile() && status.size <= LIMIT_BYTES ? readFile(where, 'utf8') : undefined;
}
