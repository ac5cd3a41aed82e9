import { tryGit } from './git.ts';
import { splitZero } from './repository.ts';

/** Names in lower case where git ignores case; of several values the last. */
export type Settings = ReadonlyMap<string, string>;

export async function readSettings(dir: string): Promise<Settings> {
  const listed = await tryGit(dir, ['config', '--list', '-z', '--includes']);
  const settings = new Map<string, string>();
  for (const setting of splitZero(listed.stdout)) {
    const [key = '', ...value] = setting.split('\n');
    settings.set(key, value.join('\n'));
  }
  return settings;
}

/** The address of origin, else of any other remote. */
export function remoteOf(settings: Settings): string | undefined {
  const origin = settings.get('remote.origin.url');
  if (origin !== undefined) return origin;
  return [...settings].find(([key]) => /^remote\..+\.url$/.test(key))?.[1];
}

/** As the user's settings have it, credentials included; undefined when there is no remote. */
export async function remoteAddress(dir: string): Promise<string | undefined> {
  return remoteOf(await readSettings(dir));
}

/**
 * Environment of a git that starts no filter program, whatever the settings name: asking for the state of a work tree
 * would. Not by `-c`, where a driver's name could hide behind a `=` of its own. `process` has to be emptied too,
 * because it wins over the other two.
 */
export async function withoutFilters(dir: string): Promise<Readonly<Record<string, string>>> {
  const names = new Set(
    [...(await readSettings(dir)).keys()].flatMap((key) => /^filter\.([^]*)\.[^.]+$/.exec(key)?.[1] ?? []),
  );
  const off = { clean: '', smudge: '', process: '', required: 'false' };
  const settings = [...names].flatMap((name) =>
    Object.entries(off).map(([key, value]) => [`filter.${name}.${key}`, value] as const),
  );
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(settings.length)],
    ...settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
}
