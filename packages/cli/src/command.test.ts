import { describe, expect, test } from 'vitest';
import { UsageError, helpOf, keyValues, parseWords } from './command.ts';
import { COMMANDS } from './commands/index.ts';

const run = COMMANDS.find((command) => command.name === 'run');
if (!run) throw new Error('there is no command run');

test('words, switches, values and repeated values', () => {
  const parsed = parseWords(run, ['job', '--json', '--tag', 'v1', '--variable', 'A=1', '--variable=B=2']);
  expect(parsed.words).toEqual(['job']);
  expect(parsed.flag('json')).toBe(true);
  expect(parsed.text('tag')).toBe('v1');
  expect(parsed.texts('variable')).toEqual(['A=1', 'B=2']);
});

test('what is wrong on the command line is said with where to look', () => {
  expect(() => parseWords(run, ['--tga', 'v1'])).toThrow(UsageError);
  expect(() => parseWords(run, ['--tag'])).toThrow(/--tag/);
  expect(() => keyValues(['=x'], 'variable')).toThrow(/not KEY=VALUE/);
  expect(keyValues(['A=b=c'], 'variable')).toEqual({ A: 'b=c' });
});

test('a command that takes no words refuses them', () => {
  const preview = COMMANDS.find((command) => command.name === 'preview');
  if (!preview) throw new Error('there is no command preview');
  expect(() => parseWords(preview, ['other.yml'])).toThrow('preview takes options only, not other.yml');
  expect(parseWords(preview, ['--config', 'other.yml']).text('config')).toBe('other.yml');
});

describe.each(COMMANDS.map((command) => [command.name, command] as const))('updraft %s', (name, command) => {
  test('its help names usage and every option', () => {
    const help = helpOf(command);
    expect(help).toContain(`Usage: updraft ${name}`);
    for (const option of command.options) expect(help).toContain(`--${option.name}`);
  });
});
