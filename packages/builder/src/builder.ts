import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, KeyedLock, Semaphore } from '@updraft/kit';
import { machineArchitecture } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import { parseDockerfile } from '@updraft/dockerfile';
import type { Dockerfile, Stage } from '@updraft/dockerfile';
import type { Build, Workshop } from './build.ts';
import { imageConfigOf } from './draft.ts';
import type { Draft } from './draft.ts';
import { BuildFailure, failedBuild } from './failure.ts';
import { dockerfilePath, readIgnore } from './files/ignore-file.ts';
import type { SourceRoot } from './files/source-tree.ts';
import { planBuild } from './plan.ts';
import type { Plan } from './plan.ts';
import { argumentValue, platformArguments, proxies, Scope } from './scope.ts';
import type { Arguments } from './scope.ts';
import { buildStage, resolveImage } from './stage.ts';
import { openStepCache } from './step-cache.ts';
import { realFolder } from './steps/origin.ts';
import { sweepBuilder } from './sweep.ts';
import type { Builder, BuilderOptions, BuildOutcome, BuildRequest } from './types.ts';

/** Steps that work at once, over all builds. */
const PLACES = 2;

export function createBuilder(options: BuilderOptions): Builder {
  const workshop: Workshop = {
    ...options,
    cache: openStepCache(options.dir, options.store),
    steps: new KeyedLock(),
    places: new Semaphore(PLACES),
    cacheMounts: new KeyedLock(),
  };
  return {
    build: (request) => runBuild(workshop, request),
    sweep: () => sweepBuilder(options.store.dir, options.dir),
    close: () => workshop.cache.close(),
  };
}

async function runBuild(workshop: Workshop, request: BuildRequest): Promise<BuildOutcome> {
  let file: Dockerfile = parseDockerfile('', { file: request.dockerfile });
  try {
    request.signal?.throwIfAborted();
    const context = request.context.kind === 'folder' ? await realFolder(request.context.path) : undefined;
    file = await readDockerfile(request, context);
    const root = await contextRoot(workshop, request, context);
    return await carryOut(workshop, request, file, root);
  } catch (error) {
    if (error instanceof BuildFailure) return failedBuild(error, file);
    throw error;
  }
}

async function readDockerfile(request: BuildRequest, context: string | undefined): Promise<Dockerfile> {
  const text = request.dockerfileText ?? (await readText(await dockerfilePath(context, request.dockerfile)));
  if (text === undefined) throw new BuildFailure('there is no such Dockerfile');
  return parseDockerfile(text, { file: request.dockerfile });
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** The context; an empty one is a folder that stays empty. */
async function contextRoot(
  workshop: Workshop,
  request: BuildRequest,
  context: string | undefined,
): Promise<SourceRoot> {
  if (context === undefined) {
    const empty = path.resolve(workshop.dir, 'empty-context');
    await mkdir(empty, { recursive: true });
    return { path: empty, ignore: undefined, owner: 'root' };
  }
  const dockerfile = await dockerfilePath(context, request.dockerfile);
  return { path: context, ignore: await readIgnore(context, dockerfile), owner: 'root' };
}

async function carryOut(
  workshop: Workshop,
  request: BuildRequest,
  file: Dockerfile,
  context: SourceRoot,
): Promise<BuildOutcome> {
  const wrong = file.problems.filter(({ severity }) => severity === 'error');
  const [first] = wrong;
  if (first) {
    const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : '';
    throw new BuildFailure(`${first.message}${more}`, first.range);
  }
  const plan = planBuild(file, request.target);
  const cancel = new AbortController();
  const forward = () => cancel.abort(request.signal?.reason);
  request.signal?.addEventListener('abort', forward, { once: true });
  try {
    const build = startBuild(workshop, request, { file, plan, context, cancel });
    const drafts = await Promise.allSettled(plan.needed.map((stage) => build.stage(stage)));
    request.signal?.throwIfAborted();
    throwFirstFailure(drafts, cancel.signal);
    const draft = await build.stage(plan.target);
    return {
      kind: 'built',
      image: await finish(build, draft),
      steps: build.counted.steps,
      cachedSteps: build.counted.cached,
    };
  } finally {
    request.signal?.removeEventListener('abort', forward);
  }
}

interface Start {
  readonly file: Dockerfile;
  readonly plan: Plan;
  readonly context: SourceRoot;
  readonly cancel: AbortController;
}

function startBuild(
  workshop: Workshop,
  request: BuildRequest,
  { file, plan, context, cancel }: Start,
): Build {
  const machine = `linux/${machineArchitecture()}`;
  const platform = request.platform ?? machine;
  const stages = new Map<Stage, Promise<Draft>>();
  const images = new Map<string, Promise<Image>>();
  const build: Build = {
    workshop,
    request,
    file,
    args: readArguments(file, request, platformArguments(platform, machine, plan.target.name ?? '')),
    platform,
    timestampMs: sourceDate(request) ?? request.timestampMs,
    context,
    signal: cancel.signal,
    log: request.onLog,
    label: '',
    stage: (stage) =>
      remember(stages, stage, async () => {
        try {
          return await buildStage(build, stage);
        } catch (error) {
          // The other stages need not go on.
          cancel.abort(error);
          throw error;
        }
      }),
    image: (reference) => remember(images, reference, () => resolveImage(build, reference)),
    counted: { steps: 0, cached: 0 },
  };
  return build;
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

function readArguments(file: Dockerfile, request: BuildRequest, platform: Record<string, string>): Arguments {
  const global = new Scope(file.escape, [], Object.entries(platform));
  const args: Arguments = { given: request.buildArgs ?? {}, platform, global, used: new Set() };
  for (const pair of file.globalArgs.flatMap(({ pairs }) => pairs)) {
    const value = argumentValue(args, global, pair, false);
    if (value !== undefined) global.args.set(global.word(pair.name), value);
  }
  return args;
}

function sourceDate({ buildArgs = {} }: BuildRequest): number | undefined {
  const text = buildArgs['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  throw new BuildFailure(`SOURCE_DATE_EPOCH=${text} is not a number of seconds`);
}

/** The first one is what went wrong; the others only stopped because of it. */
function throwFirstFailure(results: readonly PromiseSettledResult<Draft>[], cancelled: AbortSignal): void {
  if (results.every(({ status }) => status === 'fulfilled')) return;
  throw cancelled.reason;
}

async function finish(build: Build, draft: Draft): Promise<Image> {
  const { request, workshop, timestampMs } = build;
  warnOfUnused(build);
  if (request.labels) draft.config.Labels = { ...draft.config.Labels, ...request.labels };
  const config = imageConfigOf(draft, new Date(timestampMs).toISOString());
  const image = await workshop.store.putImage(config, draft.layers);
  for (const tag of request.tags ?? []) await workshop.store.tag(tag, image.digest);
  return image;
}

function warnOfUnused(build: Build): void {
  proxies(build.args);
  const unused = Object.keys(build.args.given).filter(
    (name) => !build.args.used.has(name) && name !== 'SOURCE_DATE_EPOCH',
  );
  if (unused.length > 0) build.log(`warning: no ARG asks for the build argument ${unused.join(', ')}`);
}
