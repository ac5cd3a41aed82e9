import path from 'node:path';
import { confinementOf } from './confinement.ts';
import type { Confinement } from './confinement.ts';
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
  if (text === undefined) return { protectedRefs: undefined, includes: new Map() };
  const confinement = await confinementOf(dir, SETTINGS_FILE);
  const entries = await file.parse(text);
  for (const { key, line } of entries) {
    if (key !== 'protected' && key !== 'includes') {
      file.wrong(line, `there is no setting ${JSON.stringify(key)}: there are protected and includes`);
    }
  }
  const settings = {
    protectedRefs: readProtected(entries, file),
    includes: await readIncludes(entries, file, { dir, confinement }),
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

async function readIncludes(
  entries: readonly Entry[],
  file: YamlFile,
  { dir, confinement }: { dir: string; confinement: Confinement },
): Promise<ReadonlyMap<string, string>> {
  const entry = entries.find(({ key }) => key === 'includes');
  const includes = new Map<string, string>();
  if (entry && !entry.value.entries && entry.value.text !== '') {
    file.wrong(entry.line, 'includes must be a map from projects and addresses to files and folders');
  }
  for (const { key, value, line } of entry?.value.entries ?? []) {
    const where = path.resolve(dir, value.text ?? '');
    if (!value.text) file.wrong(line, `includes of ${key} must be the path of a file or folder`);
    else if (await confinement.allows(where)) includes.set(key, where);
    else file.wrong(line, `${confinement.refusal}, not ${value.text}`);
  }
  return includes;
}
