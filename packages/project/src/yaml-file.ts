import { open } from 'node:fs/promises';
import { codeOf, messageOf } from '@updraft/kit';
import { ProjectFault } from './faults.ts';
import type { Entry } from './yaml-tree.ts';

const LIMIT_BYTES = 1024 * 1024;
const SHOWN_PROBLEMS = 10;

/** A settings file that is being read: what is wrong with it is collected, and thrown at once. */
export class YamlFile {
  /** How the user calls it. */
  readonly name: string;
  readonly #problems: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  wrong(line: number, what: string): void {
    this.#problems.push(`${this.name}:${line}: ${what}`);
  }

  /** @throws ProjectFault SETTINGS_INVALID when something was wrong */
  check(): void {
    const [first, ...others] = this.#problems;
    if (first === undefined) return;
    const shown = [first, ...others.slice(0, SHOWN_PROBLEMS - 1)].join('\n');
    throw new ProjectFault('SETTINGS_INVALID', shown, { next: `Correct ${this.name}, or remove it.` });
  }

  /** The entries of its top level; none when the file is empty. Most projects have no such file: YAML is loaded late. */
  async parse(text: string): Promise<readonly Entry[]> {
    const { parseYaml } = await import('./yaml-tree.ts');
    const value = parseYaml(text, (line, what) => this.wrong(line, what));
    if (value && !value.entries && value.text !== '') {
      this.wrong(value.line, 'this must be a map of names to values');
    }
    return value?.entries ?? [];
  }
}

/**
 * The text of a settings file; undefined when there is none.
 * @throws ProjectFault SETTINGS_INVALID when it cannot be read or is too large
 */
export async function readSettingsText(file: string, name: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const status = await handle.stat();
      if (!status.isFile()) return undefined;
      if (status.size > LIMIT_BYTES) throw tooLarge(name);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    if (error instanceof ProjectFault) throw error;
    throw new ProjectFault('SETTINGS_INVALID', `cannot read ${name}: ${messageOf(error)}`, { cause: error });
  }
}

const tooLarge = (name: string): ProjectFault =>
  new ProjectFault('SETTINGS_INVALID', `${name} is larger than 1 MiB: that is no file of settings`);
