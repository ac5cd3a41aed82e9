import type { Pipeline, ShellCommand, ShellScript, SimpleCommand, Word } from './ast.ts';

/** A command as rules look at it: its name, and its arguments with and without flags. */
export interface Command {
  /** Empty for a bare assignment. */
  readonly name: string;
  /** Everything after the name. */
  readonly args: readonly string[];
  /** Names without dashes: `-qy` gives `q` and `y`, `--no-cache=x` gives `no-cache`. */
  readonly flags: readonly string[];
  readonly node: SimpleCommand;
}

/** Wrappers that run what follows them. */
const TRANSPARENT = new Set(['command', 'builtin', 'exec', 'busybox']);

/** Every simple command of a script, also those in compound commands and substitutions, in order. */
export function commandsOf(script: ShellScript): readonly Command[] {
  return script.pipelines.flatMap((pipeline) => pipeline.commands.flatMap(commandsIn));
}

/** Every pipeline of a script, nested ones too. */
export function pipelinesOf(script: ShellScript): readonly Pipeline[] {
  return script.pipelines.flatMap((pipeline) => [
    pipeline,
    ...pipeline.commands.flatMap((command) => innerScripts(command).flatMap(pipelinesOf)),
  ]);
}

function commandsIn(node: ShellCommand): readonly Command[] {
  const inner = innerScripts(node).flatMap(commandsOf);
  return node.kind === 'simple' && node.words.length > 0 ? [toCommand(node), ...inner] : inner;
}

function innerScripts(node: ShellCommand): readonly ShellScript[] {
  const own = wordsOf(node).flatMap((word) => word.scripts);
  return node.kind === 'compound' ? [...own, ...node.bodies] : own;
}

function wordsOf(node: ShellCommand): readonly Word[] {
  if (node.kind === 'compound') return node.words;
  const values = node.assignments.map(({ value }) => value);
  return [...values, ...node.words, ...node.redirections.map(({ target }) => target)];
}

function toCommand(node: SimpleCommand): Command {
  const texts = node.words.map((word) => word.text);
  const skip = TRANSPARENT.has(texts[0] ?? '') && texts.length > 1 ? 1 : 0;
  const args = texts.slice(skip + 1);
  return { name: texts[skip] ?? '', args, flags: flagsOf(args), node };
}

function flagsOf(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).flatMap((arg) => {
    if (arg.startsWith('--')) return [arg.slice(2).split('=')[0] ?? ''];
    return arg.startsWith('-') && arg !== '-' ? arg.slice(1).split('') : [];
  });
}

/** Arguments that are no flags. A lone `-` counts as an argument. */
export function plainArgs(command: Command): readonly string[] {
  return command.args.filter((arg) => !arg.startsWith('-') || arg === '-');
}

export function hasFlag(command: Command, ...names: readonly string[]): boolean {
  return names.some((name) => command.flags.includes(name));
}

/** Is one of the arguments exactly one of these? */
export function hasArg(command: Command, ...values: readonly string[]): boolean {
  return values.some((value) => command.args.includes(value));
}

/** The values given to a flag, as `--flag=value`, `--flag value` or `-f value`. */
export function flagValues(command: Command, ...names: readonly string[]): readonly string[] {
  return command.args.flatMap((arg, index) => {
    const [name, inline] = splitFlag(arg);
    if (name === undefined || !names.includes(name)) return [];
    const value = inline ?? command.args[index + 1];
    return value === undefined ? [] : [value];
  });
}

/** The command without these flags and the value that follows each of them. */
export function dropFlagValues(command: Command, ...names: readonly string[]): Command {
  const args = command.args.filter((_, index) => {
    const [name, inline] = splitFlag(command.args[index - 1] ?? '');
    return name === undefined || inline !== undefined || !names.includes(name);
  });
  return { ...command, args, flags: flagsOf(args) };
}

function splitFlag(arg: string): readonly [string | undefined, string | undefined] {
  const match = /^--?([^=]+)(?:=(.*))?$/s.exec(arg);
  return [match?.[1], match?.[2]];
}
