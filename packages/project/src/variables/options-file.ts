import { readSettingsText } from '../yaml-file.ts';
import type { Setting } from './variable-entry.ts';

/**
 * Variables of gitlab-ci-local's file of options: `VARIABLE="A=1 B=2"`. Its other options are those of that program
 * and say nothing here.
 */
export async function readOptionsFile(
  file: string,
  name: string,
): Promise<readonly (Setting & { origin: string })[]> {
  const text = await readSettingsText(file, name);
  if (text === undefined) return [];
  return text.split(/\r?\n/).flatMap((content, index) => {
    const [, written = ''] = /^\s*(?:export\s+)?VARIABLE\s*=\s*(.*?)\s*$/.exec(content) ?? [];
    const pairs = unquote(written).split(/\s+/);
    return pairs.flatMap((pair) => {
      const [, key, value = ''] = /^([A-Za-z_]\w*)=(.*)$/.exec(pair) ?? [];
      if (key === undefined) return [];
      const line = index + 1;
      const plain = { isFile: false, isRaw: false, masked: undefined, isProtected: false, scope: '*' };
      return [{ ...plain, key, value, line, origin: `${name}:${line}` }];
    });
  });
}

const unquote = (text: string): string => /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
