import type { CopyInstruction, Dockerfile, Instruction, RunInstruction, Stage } from '@updraft/dockerfile';
import { nearest } from '@updraft/kit';
import { BuildFailure } from './failure.ts';

/** Which stages have to be built. */
export interface Plan {
  readonly target: Stage;
  /** The target and all it needs, in the file's order. */
  readonly needed: readonly Stage[];
}

/**
 * Finds the stages that the target needs. What `isReplaced` (by a named context) needs nothing.
 * @throws BuildFailure for an unknown target and for a stage that needs a later one.
 */
export function planBuild(
  file: Dockerfile,
  target: string | undefined,
  isReplaced: (stage: Stage) => boolean = () => false,
): Plan {
  const last = file.stages.at(-1);
  if (!last) throw new BuildFailure('the file has no stage', file.instructions.at(-1)?.range);
  const chosen = target === undefined || target === '' ? last : findTarget(file, target);
  // A set hands out what is added to it while it is gone through.
  const done = new Set([chosen]);
  for (const stage of done) {
    if (isReplaced(stage)) continue;
    for (const needed of neededBy(file, stage)) done.add(needed);
  }
  return { target: chosen, needed: file.stages.filter((stage) => done.has(stage)) };
}

function findTarget(file: Dockerfile, target: string): Stage {
  const found =
    file.stages.findLast(({ name }) => name === target.toLowerCase()) ??
    (/^\d+$/.test(target) ? file.stages[Number(target)] : undefined);
  if (found) return found;
  const names = file.stages.map(({ name, index }) => name ?? String(index));
  const near = nearest(target, names);
  const hint = near === undefined ? `the file has ${names.join(', ')}` : `did you mean ${near}?`;
  throw new BuildFailure(`there is no stage ${target}; ${hint}`);
}

function neededBy(file: Dockerfile, stage: Stage): Stage[] {
  const base = stageOfFrom(file, stage, stage.from.image.text);
  const sources = stage.instructions.flatMap((instruction) =>
    sourceNames(instruction).map((name) => earlierStage(file, stage, name, instruction)),
  );
  return [base, ...sources].filter((found) => found !== undefined);
}

/** Only an earlier stage can be a base; a later one of that name leaves the name to an image. */
export function stageOfFrom(file: Dockerfile, stage: Stage, name: string): Stage | undefined {
  return file.stages.slice(0, stage.index).findLast((other) => other.name === name.toLowerCase());
}

/**
 * The stage that `--from=name` means, by number or by name; of several of one name it is the last in the file.
 * @throws BuildFailure when that one does not come before
 */
export function earlierStage(
  file: Dockerfile,
  stage: Stage,
  name: string,
  at?: Instruction,
): Stage | undefined {
  const isNumber = /^\d+$/.test(name);
  const found = isNumber
    ? file.stages[Number(name)]
    : file.stages.findLast((other) => other.name === name.toLowerCase());
  if (!found && isNumber)
    throw new BuildFailure(`--from=${name}: there is no such stage above this one`, at?.range);
  if (!found || found.index < stage.index) return found;
  const which = found === stage ? 'is the stage itself' : 'is a stage that comes later';
  throw new BuildFailure(`--from=${name} ${which}; it has to stand above`, at?.range);
}

function sourceNames(instruction: Instruction): string[] {
  if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD') return flagValues(instruction, 'from');
  if (instruction.keyword !== 'RUN') return [];
  return flagValues(instruction, 'mount').flatMap((mount) => {
    const from = mount.split(',').find((field) => field.toLowerCase().startsWith('from='));
    return from ? [from.slice('from='.length)] : [];
  });
}

/** Values of a flag that may be repeated. */
export function flagValues(instruction: CopyInstruction | RunInstruction, name: string): string[] {
  return instruction.flags.flatMap((flag) =>
    flag.name === name && flag.value !== undefined ? [flag.value] : [],
  );
}
