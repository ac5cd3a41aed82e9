import { messageOf, Fault } from '@updraft/kit';
import { parseDockerfile } from '@updraft/dockerfile';
import type { FromInstruction, Instruction, Stage } from '@updraft/dockerfile';
import { isImageContext } from './build.ts';
import type { Build } from './build.ts';
import { draftOfImage, draftOfStage, emptyDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { at, BuildFailure } from './failure.ts';
import { stageOfFrom } from './plan.ts';
import { configStep } from './steps/config.ts';
import { copyStep } from './steps/copy.ts';
import { runStep } from './steps/run.ts';
import { workdirStep } from './steps/workdir.ts';
import type { NamedContext } from './types.ts';

/** Carries out one stage, from its FROM to its end. */
export async function buildStage(build: Build, stage: Stage): Promise<Draft> {
  const replacement = stage.name === undefined ? undefined : build.named(stage.name);
  if (replacement) return await at(stage.from.range, () => namedDraft(build, stage, replacement));
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
  const { image: word } = stage.from;
  const reference = build.args.global.word(word);
  if (reference === '') throw new BuildFailure(`${word.text} is empty`, word.range);
  const platform = wantedPlatform(build, stage.from);
  const base = stageOfFrom(build.file, stage, reference);
  if (base) return draftOfStage(await build.stage(base));
  const named = build.named(reference);
  if (named) return await namedDraft(build, stage, named);
  if (reference === 'scratch') return emptyDraft(build.platform, build.file.escape);
  const image = await build.image(reference, platform);
  warnOfPlatform(build, word.text, platform, `${image.config.os}/${image.config.architecture}`);
  return draftOfImage(image, build.file.escape);
}

/** A stage that starts from, or is, what the user gave in its place. */
async function namedDraft(build: Build, stage: Stage, named: NamedContext): Promise<Draft> {
  const { escape } = build.file;
  if (isImageContext(named)) {
    const image = await build.namedImage(named);
    return image ? draftOfImage(image, escape) : emptyDraft(build.platform, escape);
  }
  // The files of a folder, and nothing else.
  const draft = emptyDraft(build.platform, escape);
  const [copyAll] = parseDockerfile('FROM scratch\nCOPY . /\n').stages[0]?.instructions ?? [];
  if (copyAll?.keyword !== 'COPY') throw new BuildFailure('a context cannot be copied');
  await copyStep({ ...build, context: await build.namedRoot(named) }, stage, draft, copyAll);
  return draft;
}

/** `os/architecture[/variant]`; either of the two may stand alone. */
export const PLATFORM = /^[a-z0-9]+(\/[a-z0-9_]+(\/[a-z0-9.]+)?)?$/;

function wantedPlatform(build: Build, from: FromInstruction): string {
  const flag = from.flags.find(({ name }) => name === 'platform');
  if (flag?.value === undefined) return build.platform;
  const platform = build.args.global.word({ text: flag.value, range: flag.range });
  if (platform === '') throw new BuildFailure(`--platform=${flag.value} is empty`, flag.range);
  if (!PLATFORM.test(platform))
    throw new BuildFailure(`--platform: ${platform} is no platform; write it like linux/amd64`, flag.range);
  if (platform.includes('/')) return platform;
  return platform === 'linux' ? build.platform : `linux/${platform}`;
}

function warnOfPlatform(build: Build, name: string, wanted: string, actual: string): void {
  if (wanted.split('/').slice(0, 2).join('/') === actual) return;
  build.warn(`${name} is for ${actual}, not for ${wanted}`);
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
      const [instruction, second] = instructions;
      if (!instruction || second) throw new BuildFailure('a trigger is one instruction');
      await carryOut(build, stage, draft, instruction);
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
export async function resolveImage(build: Build, reference: string, platform: string) {
  const { images } = build.workshop;
  try {
    const { access } = build.request;
    const found = await images.resolve(reference, {
      signal: build.signal,
      onLog: build.log,
      platform,
      ...(access ? { access } : {}),
    });
    if (found.note) build.log(`${reference}: ${found.note}`);
    return found.image;
  } catch (error) {
    build.signal.throwIfAborted();
    if (error instanceof Fault && error.code === 'DISK_FULL') throw error;
    const next = error instanceof Fault && error.next ? ` (${error.next})` : '';
    throw new BuildFailure(`the image ${reference} cannot be had: ${messageOf(error)}${next}`);
  }
}
