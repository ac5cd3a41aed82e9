import { machineArchitecture } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import type { Dockerfile, Stage } from '@updraft/dockerfile';
import type { Build, Workshop } from './build.ts';
import { contextFolder, contextRoot, findNamed, layoutImage } from './contexts.ts';
import type { ContextTools } from './contexts.ts';
import type { Draft } from './draft.ts';
import { BuildFailure } from './failure.ts';
import type { SourceRoot } from './files/source-tree.ts';
import type { Plan } from './plan.ts';
import { argumentValue, platformArguments, Scope } from './scope.ts';
import type { Arguments } from './scope.ts';
import { buildStage, PLATFORM, resolveImage } from './stage.ts';
import type { BuildContext, BuildRequest, NamedContext } from './types.ts';

export interface Start {
  readonly workshop: Workshop;
  readonly request: BuildRequest;
  readonly file: Dockerfile;
  readonly plan: Plan;
  readonly context: SourceRoot;
  readonly cancel: AbortController;
  readonly tools: ContextTools;
}

/** A build whose parts are asked for as they are needed, each of them once. */
export function startBuild(start: Start): Build {
  const { workshop, request, file, plan, context, cancel, tools } = start;
  const machine = `linux/${machineArchitecture()}`;
  const platform = wantedPlatform(request) ?? machine;
  const target = (request.target || plan.target.name) ?? 'default';
  const given = request.buildArgs ?? {};
  const stages = new Map<Stage, Promise<Draft>>();
  const images = new Map<string, Promise<Image>>();
  const roots = new Map<BuildContext, Promise<SourceRoot>>();
  const layouts = new Map<NamedContext, Promise<Image>>();
  const build: Build = {
    workshop,
    request,
    file,
    args: readArguments(
      file,
      given,
      platformArguments({ target: platform, build: machine, stage: target }, given),
    ),
    platform,
    timestampMs: sourceDate(request) ?? request.timestampMs,
    context,
    signal: cancel.signal,
    log: request.onLog,
    warn: (message) => request.onLog(`warning: ${message}`),
    label: '',
    stage: (stage) => remember(stages, stage, () => stageOrCancel(build, stage, cancel)),
    image: (reference, wanted = platform) =>
      remember(images, `${wanted} ${reference}`, () => resolveImage(build, reference, wanted)),
    bases: async () =>
      await Promise.all(
        [...images].map(async ([key, image]) => ({
          reference: key.slice(key.indexOf(' ') + 1),
          digest: (await image).digest,
        })),
      ),
    named: (name) => findNamed(request, name),
    namedRoot: (named) =>
      remember(roots, named, async () => contextRoot(await contextFolder(named, tools), tools)),
    namedImage: async (named) => {
      if (named.kind === 'layout') return await remember(layouts, named, () => layoutImage(tools, named));
      return named.reference === 'scratch' ? undefined : await build.image(named.reference);
    },
    counted: { steps: 0, cached: 0 },
  };
  return build;
}

function wantedPlatform({ platform }: BuildRequest): string | undefined {
  if (platform === undefined || (PLATFORM.test(platform) && platform.startsWith('linux/'))) return platform;
  throw new BuildFailure(`images are not made for the platform ${platform}; write it like linux/amd64`);
}

/** When one stage fails the others need not go on. */
async function stageOrCancel(build: Build, stage: Stage, cancel: AbortController): Promise<Draft> {
  try {
    return await buildStage(build, stage);
  } catch (error) {
    cancel.abort(error);
    throw error;
  }
}

function remember<Key, Value>(
  known: Map<Key, Promise<Value>>,
  key: Key,
  make: () => Promise<Value>,
): Promise<Value> {
  const before = known.get(key);
  if (before) return before;
  const made = make();
  made.catch(() => undefined);
  known.set(key, made);
  return made;
}

function readArguments(
  file: Dockerfile,
  given: Readonly<Record<string, string>>,
  platform: Record<string, string>,
): Arguments {
  const global = new Scope(file.escape, Object.entries(platform));
  const args: Arguments = { given, platform, global, used: new Set() };
  for (const pair of file.globalArgs.flatMap(({ pairs }) => pairs)) {
    const value = argumentValue(args, global, pair, false);
    if (value !== undefined) global.setArgument(global.word(pair.name), value);
  }
  return args;
}

function sourceDate({ buildArgs = {} }: BuildRequest): number | undefined {
  const text = buildArgs['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  throw new BuildFailure(`SOURCE_DATE_EPOCH=${text} is not a number of seconds`);
}
