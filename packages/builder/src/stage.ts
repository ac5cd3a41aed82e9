import { messageOf, Fault } from '@updraft/kit';
import { parseDockerfile } from '@updraft/dockerfile';
import type { FromInstruction, Instruction, Stage } from '@updraft/dockerfile';
import { namedContext } from './build.ts';
import type { Build } from './build.ts';
import { draftOfImage, draftOfStage, emptyDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { at, BuildFailure } from './failure.ts';
import { stageOfFrom } from './plan.ts';
import { configStep } from './steps/config.ts';
import { copyStep } from './steps/copy.ts';
import { runStep } from './steps/run.ts';
import { workdirStep } from './steps/workdir.ts';

/** Carries out one stage, from its FROM to its end. */
export async function buildStage(build: Build, stage: Stage): Promise<Draft> {
  const draft = await at(stage.from.range, () => startDraft(build, stage));
  const name = stage.name ?? `stage-${stage.index}`;
  await fireTriggers({ ...build, label: `[${name} ONBUILD]` }, stage, draft);
  const total = stage.instructions.length;
  for (const [index, instruction] of stage.instructions.entries()) {
    build.signal.throwIfAborted();
    const labelled = { ...build, label: `[${name} ${index + 1}/${total}]` };
    await at(instruction.range, () => carryOut(labelled, stage, draft, instruction));
  }
  return draft;
}

async function startDraft(build: Build, stage: Stage): Promise<Draft> {
  const reference = build.args.global.word(stage.from.image);
  if (reference === '') throw new BuildFailure(`${stage.from.image.text} is empty`, stage.from.image.range);
  const named = namedContext(build, reference);
  if (named && named.kind !== 'image')
    throw new BuildFailure(`the build context ${reference} is a folder, not an image`);
  const base = named ? undefined : stageOfFrom(build.file, stage, reference);
  if (base) return draftOfStage(await build.stage(base));
  if (reference === 'scratch') return emptyDraft(build.platform, build.file.escape);
  const image = await build.image(named?.reference ?? reference);
  warnOfPlatform(build, stage.from, `${image.config.os}/${image.config.architecture}`);
  return draftOfImage(image, build.file.escape);
}

function warnOfPlatform(build: Build, from: FromInstruction, actual: string): void {
  const flag = from.flags.find(({ name }) => name === 'platform');
  const wanted = flag?.value
    ? build.args.global.word({ text: flag.value, range: flag.range })
    : build.platform;
  if (wanted === '' || wanted.split('/').slice(0, 2).join('/') === actual) return;
  build.log(`warning: ${from.image.text} is for ${actual}, not for ${wanted}`);
}

/** The instructions that the base image left for whoever builds on it. */
async function fireTriggers(build: Build, stage: Stage, draft: Draft): Promise<void> {
  const triggers = draft.config.OnBuild ?? [];
  delete draft.config.OnBuild;
  for (const trigger of triggers) {
    try {
      const { instructions, problems } = parseDockerfile(trigger);
      const wrong = problems.find(({ code }) => code !== 'FROM_MISSING' && code !== 'EMPTY_CONTINUATION');
      if (wrong) throw new BuildFailure(wrong.message);
      for (const instruction of instructions) await carryOut(build, stage, draft, instruction);
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      // Its own place is in a file that is not here.
      throw new BuildFailure(`ONBUILD ${trigger}: ${error.message}`, stage.from.range, error.exitCode);
    }
  }
}

async function carryOut(build: Build, stage: Stage, draft: Draft, instruction: Instruction): Promise<void> {
  switch (instruction.keyword) {
    case 'RUN':
      return await runStep(build, stage, draft, instruction);
    case 'COPY':
    case 'ADD':
      return await copyStep(build, stage, draft, instruction);
    case 'WORKDIR':
      return await workdirStep(build, draft, instruction);
    case 'FROM':
      throw new BuildFailure('FROM starts a stage and cannot stand inside one');
    default:
      return configStep(build, draft, instruction);
  }
}

/** An image that cannot be had is the fault of the line that names it, as far as the user is concerned. */
export async function resolveImage(build: Build, reference: string) {
  const { images } = build.workshop;
  try {
    const found = await images.resolve(reference, { signal: build.signal, onLog: build.log });
    if (found.note) build.log(`${reference}: ${found.note}`);
    return found.image;
  } catch (error) {
    build.signal.throwIfAborted();
    if (error instanceof Fault && error.code === 'DISK_FULL') throw error;
    const next = error instanceof Fault && error.next ? ` (${error.next})` : '';
    throw new BuildFailure(`the image ${reference} cannot be had: ${messageOf(error)}${next}`);
  }
}
