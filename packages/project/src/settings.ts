import path from 'node:path';
import { YamlFile, readSettingsText } from './yaml-file.ts';
import type { Entry } from './yaml-tree.ts';

/** What a project's own file says, which lies beside the repository's files and usually is not committed. */
export interface ProjectSettings {
  /** Branches and tags that are protected, `*` being any text; undefined: the default branch. */
  readonly protectedRefs: readonly string[] | undefined;
  /**
   * Files and folders of this machine instead of those of other places: by address, by project (`group/book`, with
   * `@ref` for one version only, with or without the host), or `template`. Absolute.
   */
  readonly includes: ReadonlyMap<string, string>;
}

export const SETTINGS_FILE = '.updraft/project.yml';

/**
 * Reads `.updraft/project.yml`.
 * @throws ProjectFault SETTINGS_INVALID with every mistake in it
 */
export async function readSettings(dir: string): Promise<ProjectSettings> {
  const text = await readSettingsText(path.join(dir, SETTINGS_FILE), SETTINGS_FILE);
  const file = new YamlFile(SETTINGS_FILE);
  const entries = text === undefined ? [] : await file.parse(text);
  for (const { key, line } of entries) {
    if (key !== 'protected' && key !== 'includes') {
      file.wrong(line, `there is no setting ${JSON.stringify(key)}: there are protected and includes`);
    }
  }
  const settings = {
    protectedRefs: readProtected(entries, file),
    includes: readIncludes(entries, file, dir),
  };
  file.check();
  return settings;
}

function readProtected(entries: readonly Entry[], file: YamlFile): readonly string[] | undefined {
  const entry = entries.find(({ key }) => key === 'protected');
  if (!entry) return undefined;
  return (entry.value.items ?? [entry.value]).flatMap(({ text, line }) => {
    if (text !== undefined) return text === '' ? [] : [text];
    file.wrong(line, 'protected must be a list of branches and tags');
    return [];
  });
}

function readIncludes(entries: readonly Entry[], file: YamlFile, dir: string): ReadonlyMap<string, string> {
  const entry = entries.find(({ key }) => key === 'includes');
  const includes = new Map<string, string>();
  if (entry && !entry.value.entries && entry.value.text !== '') {
    file.wrong(entry.line, 'includes must be a map from projects and addresses to files and folders');
  }
  for (const { key, value, line } of entry?.value.entries ?? []) {
    if (value.text) includes.set(key, path.resolve(dir, value.text));
    else file.wrong(line, `includes of ${key} must be the path of a file or folder`);
  }
  return includes;
}
