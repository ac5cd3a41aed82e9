import type { CopyInstruction, Dockerfile, Instruction, RunInstruction, Stage } from '@updraft/dockerfile';
import { BuildFailure } from './failure.ts';

/** Which stages have to be built. */
export interface Plan {
  readonly target: Stage;
  /** The target and all it needs, in the file's order. */
  readonly needed: readonly Stage[];
}

/**
 * Finds the stages that the target needs.
 * @throws BuildFailure for an unknown target and for stages that need each other.
 */
export function planBuild(file: Dockerfile, target: string | undefined): Plan {
  const last = file.stages.at(-1);
  if (!last) throw new BuildFailure('the file has no stage');
  const chosen = target === undefined || target === '' ? last : findTarget(file, target);
  const done = new Set<Stage>();
  visit(file, chosen, done, []);
  return { target: chosen, needed: file.stages.filter((stage) => done.has(stage)) };
}

function findTarget(file: Dockerfile, target: string): Stage {
  const found =
    file.stages.find(({ name }) => name === target.toLowerCase()) ??
    (/^\d+$/.test(target) ? file.stages[Number(target)] : undefined);
  if (found) return found;
  const names = file.stages.map(({ name, index }) => name ?? String(index)).join(', ');
  throw new BuildFailure(`there is no stage ${target}; the file has ${names}`);
}

function visit(file: Dockerfile, stage: Stage, done: Set<Stage>, path: readonly Stage[]): void {
  if (path.includes(stage)) {
    const names = [...path, stage].map(({ name, index }) => name ?? String(index)).join(' -> ');
    throw new BuildFailure(`stages need each other: ${names}`, stage.from.range);
  }
  if (done.has(stage)) return;
  for (const needed of neededBy(file, stage)) visit(file, needed, done, [...path, stage]);
  done.add(stage);
}

function neededBy(file: Dockerfile, stage: Stage): Stage[] {
  const base = stageOfFrom(file, stage, stage.from.image.text);
  const sources = stage.instructions.flatMap(sourceNames).map((name) => findStage(file, stage, name));
  return [base, ...sources].filter((found) => found !== undefined);
}

/** Only an earlier stage can be a base; a later one of that name leaves the name to an image. */
export function stageOfFrom(file: Dockerfile, stage: Stage, name: string): Stage | undefined {
  return file.stages.slice(0, stage.index).findLast((other) => other.name === name.toLowerCase());
}

/** The stage that `--from=name` means: by name, the nearest one above first, or by number. */
export function findStage(file: Dockerfile, stage: Stage, name: string): Stage | undefined {
  const wanted = name.toLowerCase();
  const before = file.stages.slice(0, stage.index);
  const named =
    before.findLast((other) => other.name === wanted) ?? file.stages.find((other) => other.name === wanted);
  if (named) return named;
  return /^\d+$/.test(name) ? before[Number(name)] : undefined;
}

function sourceNames(instruction: Instruction): string[] {
  if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD') return flagValues(instruction, 'from');
  if (instruction.keyword !== 'RUN') return [];
  return flagValues(instruction, 'mount').flatMap((mount) => {
    const from = mount.split(',').find((field) => field.startsWith('from='));
    return from ? [from.slice('from='.length)] : [];
  });
}

/** Values of a flag that may be repeated. */
export function flagValues(instruction: CopyInstruction | RunInstruction, name: string): string[] {
  return instruction.flags.flatMap((flag) =>
    flag.name === name && flag.value !== undefined ? [flag.value] : [],
  );
}
