import path from 'node:path';
import { codeOf, KeyedLock, messageOf, Semaphore, Undo } from '@updraft/kit';
import { parseDockerfile } from '@updraft/dockerfile';
import type { Dockerfile, Stage } from '@updraft/dockerfile';
import type { Image } from '@updraft/oci';
import type { Build, Workshop } from './build.ts';
import { contextFolder, contextRoot, findNamed, realPath } from './contexts.ts';
import type { ContextTools } from './contexts.ts';
import { imageConfigOf } from './draft.ts';
import type { Draft } from './draft.ts';
import { BuildFailure, failedBuild, WrongFile } from './failure.ts';
import { dockerfilePath } from './files/ignore-file.ts';
import { statusOf } from './files/merged-root.ts';
import { readTextInside } from './files/open-inside.ts';
import { planBuild } from './plan.ts';
import { proxies } from './scope.ts';
import { squash } from './squash.ts';
import { startBuild } from './start-build.ts';
import { openStepCache } from './step-cache.ts';
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
    privateCaches: new Set(),
  };
  return {
    build: (request) => runBuild(workshop, request),
    cachedLayers: () => workshop.cache.layers(),
    sweep: () => sweepBuilder(options.store.dir, options.dir),
    close: () => workshop.cache.close(),
  };
}

async function runBuild(workshop: Workshop, request: BuildRequest): Promise<BuildOutcome> {
  let file: Dockerfile = parseDockerfile('', { file: request.dockerfile });
  const cancel = new AbortController();
  const stop = cancelWhen(workshop, request, cancel);
  const undo = new Undo();
  const tools: ContextTools = { workshop, request, signal: cancel.signal, undo };
  try {
    request.signal?.throwIfAborted();
    const folder = await contextFolder(request.context, tools);
    file = await readDockerfile(request, folder);
    return await carryOut({ file, folder, tools, cancel });
  } catch (error) {
    request.signal?.throwIfAborted();
    const reason = cancel.signal.aborted ? cancel.signal.reason : error;
    if (reason instanceof BuildFailure) return failedBuild(reason, file);
    throw reason;
  } finally {
    stop();
    await undo.close();
  }
}

/** Hands the user's wish to stop on, and ends what takes too long. */
function cancelWhen(workshop: Workshop, request: BuildRequest, cancel: AbortController): () => void {
  const { signal, timeoutMs } = request;
  const forward = () => cancel.abort(signal?.reason);
  signal?.addEventListener('abort', forward, { once: true });
  const late = () => cancel.abort(new BuildFailure(`the build took longer than ${timeoutMs ?? 0} ms`));
  const stopTimer = timeoutMs === undefined ? () => undefined : workshop.clock.timer(timeoutMs, late);
  return () => {
    signal?.removeEventListener('abort', forward);
    stopTimer();
  };
}

/** As BuildKit has it. */
const MOST_TEXT = 16 * 1024 * 1024;

async function readDockerfile(request: BuildRequest, context: string | undefined): Promise<Dockerfile> {
  const text = request.dockerfileText ?? (await readText(request, context));
  if (text.length > MOST_TEXT) throw new BuildFailure(`the file is larger than ${MOST_TEXT} characters`);
  return parseDockerfile(text, { file: request.dockerfile });
}

async function readText(request: BuildRequest, context: string | undefined): Promise<string> {
  const file = await dockerfilePath(context, request.dockerfile);
  for (const each of [file, lowerCase(file)]) {
    const real = await realDockerfile(request, each);
    if (real !== undefined && (await statusOf(real))?.isFile() === true) return await readTextInside(real);
  }
  throw new BuildFailure('there is no such Dockerfile');
}

/** Some write the usual name small. */
function lowerCase(file: string): string {
  return path.basename(file) === 'Dockerfile' ? path.join(path.dirname(file), 'dockerfile') : file;
}

/** One outside of the context may be reached by links, unless the request says that there are none. */
async function realDockerfile(request: BuildRequest, file: string): Promise<string | undefined> {
  if (!path.isAbsolute(request.dockerfile)) return file;
  const given = path.join(path.dirname(path.resolve(request.dockerfile)), path.basename(file));
  return await realPath(given, request).catch(() => undefined);
}

interface Work {
  readonly file: Dockerfile;
  readonly folder: string | undefined;
  readonly tools: ContextTools;
  readonly cancel: AbortController;
}

async function carryOut({ file, folder, tools, cancel }: Work): Promise<BuildOutcome> {
  const { workshop, request } = tools;
  const wrong = file.problems.filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) throw new WrongFile(wrong);
  const isReplaced = ({ name }: Stage) => name !== undefined && findNamed(request, name) !== undefined;
  const plan = planBuild(file, request.target, isReplaced);
  const dockerfile = folder === undefined ? undefined : await dockerfilePath(folder, request.dockerfile);
  const context = await contextRoot(folder, tools, dockerfile);
  const build = startBuild({ workshop, request, file, plan, context, cancel, tools });
  const drafts = await Promise.allSettled(plan.needed.map((stage) => build.stage(stage)));
  request.signal?.throwIfAborted();
  throwFirstFailure(drafts, cancel.signal);
  const draft = await build.stage(plan.target);
  const image = await finish(build, draft);
  const { steps, cached } = build.counted;
  return { kind: 'built', image, steps, cachedSteps: cached, bases: await build.bases() };
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
  if (request.platform !== undefined) {
    const [os = draft.os, architecture = draft.architecture, variant] = request.platform.split('/');
    Object.assign(draft, { os, architecture, variant: variant ?? draft.variant });
  }
  if (request.singleLayer) await squash(build, draft);
  const config = imageConfigOf(draft, new Date(timestampMs).toISOString());
  const image = await workshop.store.putImage(config, draft.layers);
  for (const tag of request.tags ?? []) await tagged(workshop, tag, image);
  return image;
}

async function tagged({ store }: Workshop, tag: string, image: Image): Promise<void> {
  try {
    await store.tag(tag, image.digest);
  } catch (error) {
    if (codeOf(error) !== 'REFERENCE_INVALID') throw error;
    throw new BuildFailure(`the name ${tag} cannot be given: ${messageOf(error)}`);
  }
}

/** Settings of the build itself that no ARG has to ask for. */
const OWN_ARGUMENT = /^(BUILDKIT_\w+|SOURCE_DATE_EPOCH)$/;

function warnOfUnused(build: Build): void {
  proxies(build.args);
  const unused = Object.keys(build.args.given).filter(
    (name) => !build.args.used.has(name) && !OWN_ARGUMENT.test(name),
  );
  if (unused.length > 0) build.warn(`no ARG asks for the build argument ${unused.join(', ')}`);
}
