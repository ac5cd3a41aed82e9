import type {
  CommandLine,
  HealthcheckInstruction,
  Instruction,
  ListInstruction,
  NameValue,
  OnbuildInstruction,
} from '@updraft/dockerfile';
import type { Build } from '../build.ts';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';
import { argumentValue } from '../scope.ts';
import { history } from './layer-step.ts';
import { shortened } from './names.ts';
import { shellOf } from './run.ts';

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
  ) => void;
  apply(draft, instruction, build);
  const createdBy = `${instruction.keyword} ${shortened(instruction.text)}`;
  draft.history.push(history(build, createdBy, { empty_layer: true }));
}

type Appliers = {
  readonly [Word in Keyword]: (draft: Draft, instruction: InstructionOf<Word>, build: Build) => void;
};

const APPLIERS: Appliers = {
  ENV: ({ scope }, { pairs }) => {
    for (const [name, value] of scope.pairs(pairs)) scope.env.set(name, value);
  },
  ARG: applyArg,
  LABEL: ({ config, scope }, { pairs }) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(scope.pairs(pairs)) };
  },
  CMD: (draft, { command }) => {
    draft.config.Cmd = commandWords(draft, command);
    draft.commandGiven = true;
  },
  ENTRYPOINT: (draft, { command }) => {
    draft.config.Entrypoint = commandWords(draft, command);
    // The base's arguments were meant for the base's program.
    if (!draft.commandGiven) delete draft.config.Cmd;
  },
  SHELL: ({ config }, { words }) => {
    config.Shell = words.map(({ text }) => text);
  },
  EXPOSE: (draft, instruction) => {
    draft.config.ExposedPorts = { ...draft.config.ExposedPorts, ...exposed(draft, instruction) };
  },
  VOLUME: (draft, instruction) => {
    draft.config.Volumes = { ...draft.config.Volumes, ...volumes(draft, instruction) };
  },
  HEALTHCHECK: ({ config }, instruction) => {
    config.Healthcheck = healthcheck(instruction);
  },
  ONBUILD: ({ config }, instruction) => {
    config.OnBuild = [...(config.OnBuild ?? []), onbuildText(instruction)];
  },
  USER: ({ config, scope }, { value }) => {
    config.User = scope.word(value);
  },
  STOPSIGNAL: ({ config, scope }, { value }) => {
    config.StopSignal = stopSignal(scope.word(value));
  },
  MAINTAINER: (draft, { value }) => {
    draft.author = value.text;
  },
};

function applyArg({ scope }: Draft, { pairs }: { pairs: readonly NameValue[] }, build: Build): void {
  for (const pair of pairs) {
    const value = argumentValue(build.args, scope, pair, true);
    const name = scope.word(pair.name);
    if (value !== undefined) scope.args.set(name, value);
  }
}

function commandWords(draft: Draft, command: CommandLine): readonly string[] {
  return command.form === 'exec' ? command.words.map(({ text }) => text) : [...shellOf(draft), command.text];
}

const PORT = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i;

function exposed(
  { scope }: Draft,
  instruction: Pick<ListInstruction, 'words' | 'textRange'>,
): Record<string, object> {
  const ports: Record<string, object> = {};
  for (const word of instruction.words.flatMap((written) => scope.words(written))) {
    const match = PORT.exec(word);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? first);
    if (!match || last > 65_535 || first > last) {
      throw new BuildFailure(`${word} is no port; write it like 8080 or 8080/udp`, instruction.textRange);
    }
    for (let port = first; port <= last; port += 1)
      ports[`${port}/${(match[3] ?? 'tcp').toLowerCase()}`] = {};
  }
  return ports;
}

function volumes(
  { scope }: Draft,
  instruction: Pick<ListInstruction, 'words' | 'textRange'>,
): Record<string, object> {
  const names = instruction.words.map((word) => scope.word(word));
  if (names.includes('')) throw new BuildFailure('a volume needs a path', instruction.textRange);
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function stopSignal(signal: string): string {
  if (/^(\d{1,2}|(SIG)?[A-Z][A-Z0-9+-]*)$/i.test(signal)) return signal;
  throw new BuildFailure(`${signal} is no signal`);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration as Go writes them (`1m30s`), in nanoseconds. */
function nanoseconds(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/([\d.]+)([a-zµ]+)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ''] ?? 0),
    0,
  );
}

function healthcheck(instruction: HealthcheckInstruction): NonNullable<Draft['config']['Healthcheck']> {
  const { command, flags } = instruction;
  if (!command) return { Test: ['NONE'] };
  const duration = (name: string) => {
    const flag = flags.find((other) => other.name === name);
    const value = flag ? nanoseconds(flag.value ?? '') : undefined;
    if (flag && value === undefined)
      throw new BuildFailure(`--${name}=${flag.value ?? ''} is no duration`, flag.range);
    return value === undefined || value === 0 ? undefined : value;
  };
  const retries = flags.find(({ name }) => name === 'retries');
  if (retries && !/^\d+$/.test(retries.value ?? ''))
    throw new BuildFailure('--retries needs a number', retries.range);
  const times = {
    Interval: duration('interval'),
    Timeout: duration('timeout'),
    StartPeriod: duration('start-period'),
    StartInterval: duration('start-interval'),
    Retries: retries ? Number(retries.value) : undefined,
  };
  const given = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
  const test =
    command.form === 'exec' ? ['CMD', ...command.words.map(({ text }) => text)] : ['CMD-SHELL', command.text];
  return { Test: test, ...given };
}

/** A trigger as it stands in the file, here-documents included: it is parsed again where it fires. */
function onbuildText({ instruction }: OnbuildInstruction): string {
  const flags = instruction.flags.map(({ name, value }) =>
    value === undefined ? `--${name}` : `--${name}=${value}`,
  );
  const bodies = instruction.heredocs.map(({ raw, name }) => `\n${raw}${name}`);
  return `${[instruction.keyword, ...flags, instruction.text].join(' ')}${bodies.join('')}`;
}
