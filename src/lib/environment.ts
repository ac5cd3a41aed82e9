import { parse } from 'yaml';
import { StartFault } from './fault.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'ADDRSERVICE_';

/** Where each setting is, by the name of its variable: `limits.body_bytes` is ADDRSERVICE_LIMITS_BODY_BYTES. */
export type Settings = readonly (readonly string[])[];

const nameOf = (setting: readonly string[]): string => PREFIX + setting.join('_').toUpperCase();

/**
 * Lays the environment's settings over those of a file: values are read as YAML, so that numbers are numbers.
 * @throws StartFault for a variable of ours that is no setting, and for one that is not YAML
 */
export function withEnvironment(file: unknown, env: Environment, settings: Settings): unknown {
  const byName = new Map(settings.map((setting) => [nameOf(setting), setting]));
  const given = Object.entries(env).filter(([name, value]) => name.startsWith(PREFIX) && value !== undefined);
  if (given.length === 0) return file;
  const result = structuredClone(file ?? {});
  for (const [name, value = ''] of given) {
    const setting = byName.get(name);
    if (!setting) throw new StartFault(`${name} is no setting; there are ${[...byName.keys()].join(', ')}`);
    put(result, setting, valueOf(name, value));
  }
  return result;
}

function valueOf(name: string, text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    throw new StartFault(`${name} is not well-formed`);
  }
}

/** Where the file has something else than a map, the file's own check tells. */
function put(target: unknown, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return;
  const map = target as Record<string, unknown>;
  if (rest.length === 0) map[key] = value;
  else put((map[key] ??= {}), rest, value);
}
