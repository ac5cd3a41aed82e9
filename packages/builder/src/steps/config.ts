import type { CommandLine, Instruction, NameValue, OnbuildInstruction } from '@updraft/dockerfile';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';
import { argumentValue } from '../scope.ts';
import { exposedPorts } from './expose.ts';
import { healthcheckOf } from './healthcheck.ts';
import { addHistory, historyEntry, healthcheckText, quotedList } from './history.ts';
import { shellOf } from './run.ts';
import { stopSignal } from './stop-signal.ts';

type Keyword = Exclude<Instruction['keyword'], 'RUN' | 'COPY' | 'ADD' | 'FROM' | 'WORKDIR'>;

/** Some keywords share a shape: the shape of one of them. */
type InstructionOf<Word extends Keyword, Node = Instruction> = Node extends { keyword: infer Known }
  ? Word extends Known
    ? Node
    : never
  : never;
type ConfigInstruction = { [Word in Keyword]: InstructionOf<Word> }[Keyword];

/** An instruction that changes what an image says about itself, and no file. */
export function configStep(build: Build, draft: Draft, instruction: ConfigInstruction): void {
  const apply = APPLIERS[instruction.keyword as Keyword] as (
    draft: Draft,
    instruction: ConfigInstruction,
    build: Build,
  ) => string | undefined;
  const text = apply(draft, instruction, build);
  if (text === undefined) return;
  addHistory(draft, historyEntry(build, `${instruction.keyword} ${text}`, { empty_layer: true }));
}

/** Each gives what the history says of it after the keyword; undefined: nothing. */
type Appliers = {
  readonly [Word in Keyword]: (
    draft: Draft,
    instruction: InstructionOf<Word>,
    build: Build,
  ) => string | undefined;
};

const joined = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => `${name}=${value}`).join(' ');

const APPLIERS: Appliers = {
  ENV: ({ scope }, { pairs }) => {
    const values = scope.pairs(pairs);
    for (const [name, value] of values) scope.setEnv(name, value);
    return joined(values);
  },
  ARG: applyArg,
  LABEL: ({ config, scope }, { pairs }) => {
    const values = scope.pairs(pairs);
    config.Labels = { ...config.Labels, ...Object.fromEntries(values) };
    return joined(values);
  },
  CMD: (draft, { command }) => {
    draft.config.Cmd = commandWords(draft, command);
    draft.config.ArgsEscaped = true;
    draft.commandGiven = true;
    return quotedList(draft.config.Cmd);
  },
  ENTRYPOINT: (draft, { command }) => {
    draft.config.Entrypoint = commandWords(draft, command);
    // The base's arguments were meant for the base's program.
    if (!draft.commandGiven) delete draft.config.Cmd;
    return quotedList(draft.config.Entrypoint);
  },
  SHELL: ({ config }, { words }) => {
    config.Shell = words.map(({ text }) => text);
    return `[${config.Shell.join(' ')}]`;
  },
  EXPOSE: ({ config, scope }, instruction) => {
    const ports = exposedPorts(scope, instruction);
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
    return `[${ports.join(' ')}]`;
  },
  VOLUME: ({ config, scope }, { words, textRange }) => {
    const names = words.map((word) => scope.word({ ...word, text: word.text.trim() }));
    if (names.includes('')) throw new BuildFailure('a volume needs a path', textRange);
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(names.map((name) => [name, {}])) };
    return `[${names.join(' ')}]`;
  },
  HEALTHCHECK: ({ config }, instruction) => {
    config.Healthcheck = healthcheckOf(instruction);
    return healthcheckText(config.Healthcheck);
  },
  ONBUILD: ({ config }, instruction) => {
    config.OnBuild = [...(config.OnBuild ?? []), onbuildText(instruction)];
    return undefined;
  },
  USER: ({ config, scope }, { value }) => {
    config.User = scope.word(value);
    return config.User;
  },
  STOPSIGNAL: ({ config, scope }, { value }) => {
    config.StopSignal = stopSignal(scope.word(value));
    return config.StopSignal;
  },
  MAINTAINER: (draft, { value }) => {
    draft.author = value.text;
    return value.text;
  },
};

function applyArg({ scope }: Draft, { pairs }: { pairs: readonly NameValue[] }, build: Build): string {
  const texts = pairs.map((pair) => {
    const value = argumentValue(build.args, scope, pair, true);
    const name = scope.word(pair.name);
    scope.setArgument(name, value);
    return value === undefined ? name : `${name}=${value}`;
  });
  return texts.join(' ');
}

function commandWords(draft: Draft, command: CommandLine): readonly string[] {
  return command.form === 'exec' ? command.words.map(({ text }) => text) : [...shellOf(draft), command.text];
}

/** A trigger as it stands in the file, here-documents included: it is parsed again where it fires. */
function onbuildText({ text, heredocs }: OnbuildInstruction): string {
  return `${text}${heredocs.map(({ raw, name }) => `\n${raw}${name}`).join('')}`;
}
