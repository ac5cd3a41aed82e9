import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from './index.ts';
import { PLATFORM_COMMANDS } from './of-platform.ts';

const launcher = readFileSync(path.join(import.meta.dirname, '../../bin/updraft.cjs'), 'utf8');
const names = PLATFORM_COMMANDS.map(({ name }) => name);

test('the launcher starts the small bundle for what is in it, in the shell as in Node', () => {
  const [, inShell = ''] = /case "\$1" in ([\w|-]+)\)/.exec(launcher) ?? [];
  const [, inNode = ''] = /PLATFORM_VERBS =\s+'([^']+)'/.exec(launcher) ?? [];
  expect(inShell.split('|')).toEqual(names);
  expect(inNode.split(' ')).toEqual(names);
});

test('the small bundle has nothing that the whole one lacks', () => {
  expect(COMMANDS.filter((command) => PLATFORM_COMMANDS.includes(command))).toEqual(PLATFORM_COMMANDS);
});
