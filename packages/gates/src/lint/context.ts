import type { Dockerfile, FromInstruction, Instruction, RunInstruction } from '@updraft/dockerfile';
import { commandsOf } from '../shell/commands.ts';
import type { Command } from '../shell/commands.ts';
import { parseShell } from '../shell/parser.ts';
import type { ShellScript } from '../shell/ast.ts';
import { shellAt } from './stage-shell.ts';
import type { LabelSchema } from './settings.ts';

/** An instruction with its place. The trigger of an ONBUILD stands here itself, with `onbuild` set. */
export interface Located<I extends Instruction = Instruction> {
  readonly instruction: I;
  readonly line: number;
  readonly stage: LintStage;
  readonly onbuild: boolean;
}

/** A RUN with what its shell would run. */
export interface Run extends Located<RunInstruction> {
  readonly script: ShellScript;
  readonly commands: readonly Command[];
  /** The words of the SHELL in force, `['/bin/sh', '-c']` at first. */
  readonly shell: readonly string[];
}

/** A stage as rules need it: with its parent when it starts from an earlier stage. */
export interface LintStage {
  readonly index: number;
  readonly name: string | undefined;
  /** undefined for what stands before the first FROM. */
  readonly from: FromInstruction | undefined;
  readonly line: number;
  readonly parent: LintStage | undefined;
  readonly instructions: readonly Located[];
}

export interface RuleOptions {
  readonly trustedRegistries: readonly string[];
  readonly labelSchema: LabelSchema;
  readonly strictLabels: boolean;
}

export interface RuleContext {
  readonly dockerfile: Dockerfile;
  readonly stages: readonly LintStage[];
  readonly instructions: readonly Located[];
  readonly runs: readonly Run[];
  readonly options: RuleOptions;
}

export function makeContext(dockerfile: Dockerfile, options: RuleOptions): RuleContext {
  const stages = toStages(dockerfile.instructions);
  const instructions = stages.flatMap((stage) => stage.instructions);
  const runs = instructions.filter(isRun).map((located) => toRun(dockerfile, located));
  return { dockerfile, stages, instructions, runs, options };
}

interface OpenStage extends LintStage {
  readonly instructions: Located[];
}

function toStages(instructions: readonly Instruction[]): LintStage[] {
  const stages: OpenStage[] = [];
  for (const instruction of instructions) {
    const line = instruction.range.start.line;
    const open = stages.at(-1);
    const stage =
      instruction.keyword === 'FROM' || open === undefined ? openStage(stages, instruction) : open;
    if (stage !== open) stages.push(stage);
    const onbuild = instruction.keyword === 'ONBUILD';
    stage.instructions.push({
      instruction: onbuild ? instruction.instruction : instruction,
      line,
      stage,
      onbuild,
    });
  }
  return stages;
}

function openStage(earlier: readonly OpenStage[], instruction: Instruction): OpenStage {
  const from = instruction.keyword === 'FROM' ? instruction : undefined;
  const base = from?.image.text.toLowerCase();
  return {
    index: earlier.filter((stage) => stage.from !== undefined).length,
    name: from?.stageName?.text.toLowerCase(),
    from,
    line: instruction.range.start.line,
    parent: earlier.findLast((stage) => stage.name !== undefined && stage.name === base),
    instructions: [],
  };
}

function isRun(located: Located): located is Located<RunInstruction> {
  return located.instruction.keyword === 'RUN';
}

function toRun(dockerfile: Dockerfile, located: Located<RunInstruction>): Run {
  const script = parseShell(scriptText(located.instruction));
  return { ...located, script, commands: commandsOf(script), shell: shellAt(dockerfile, located) };
}

/** The script of a RUN: a here-document is the script itself unless a command reads it. */
export function scriptText({ command, heredocs, text }: RunInstruction): string {
  if (command.form === 'exec') return command.words.map((word) => word.text).join(' ');
  const [first] = heredocs;
  if (first === undefined) return command.text;
  if (/^<<-?\s*\S+$/.test(text.trim())) return first.content;
  return [command.text, ...heredocs.map(({ raw, name }) => `${raw}${name}`)].join('\n');
}

/** The stage, its parent, the parent's parent and so on. */
export function lineage(stage: LintStage): readonly LintStage[] {
  return stage.parent === undefined ? [stage] : [stage, ...lineage(stage.parent)];
}

/** Does what this instruction leaves behind end up in an image: of the last stage, of one that others start from, or of whoever triggers it? */
export function isKept({ stage, onbuild }: Located, stages: readonly LintStage[]): boolean {
  return onbuild || stage === stages.at(-1) || stages.some(({ parent }) => parent === stage);
}

/** The stages that are made from this one, directly or through others. */
export function descendants(stage: LintStage, stages: readonly LintStage[]): readonly LintStage[] {
  return stages.filter((other) => other !== stage && lineage(other).includes(stage));
}
