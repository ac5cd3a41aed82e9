import path from 'node:path';
import { Fault, messageOf } from '@updraft/kit';
import type { BuildContext, Builder } from '@updraft/builder';
import { exportArchive, exportOciLayout, formatReference, parseReference, push } from '@updraft/oci';
import type { Credentials, Image, ImageStore, Reference } from '@updraft/oci';
import { credentialsFor } from './credentials.ts';
import { parseKaniko } from './parse.ts';
import type { KanikoArguments } from './parse.ts';

type Arguments = Extract<KanikoArguments, { kind: 'ok' }>;

/** What kaniko's command line may do for the job that called it. */
export interface KanikoContext {
  readonly builder: Builder;
  readonly store: ImageStore;
  /** `host:port` of the embedded registry. */
  readonly registryHost: string;
  /** May these credentials push to a repository of the embedded registry? */
  mayPush(credentials: Credentials, repository: string): boolean;
  readonly files: JobFiles;
  /** The caller's working directory, in the job. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timestampMs: number;
  readonly signal: AbortSignal;
  readonly out: (line: string) => void;
}

/** The job's files, by the paths the job knows them by. Nothing outside the job can be reached. */
export interface JobFiles {
  /** Where a path of the job lies on the host; links followed as inside the job. */
  hostPath(inside: string): Promise<string>;
  readText(inside: string): Promise<string | undefined>;
  writeText(inside: string, text: string): void;
}

/** Kaniko's executor: exit code 0 when the image was built and is wherever it was to go. */
export async function kanikoCommand(argv: readonly string[], context: KanikoContext): Promise<number> {
  const parsed = parseKaniko(argv);
  if (parsed.kind === 'wrong') return fail(context, parsed.message);
  const problem = checkArguments(parsed);
  if (problem !== undefined) return fail(context, problem);
  for (const note of parsed.withoutEffect) context.out(`note: ${note}`);
  try {
    return await buildAndPush(parsed, context);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const next = error instanceof Fault && error.next !== undefined ? `\n${error.next}` : '';
    return fail(context, `${messageOf(error)}${next}`);
  }
}

function fail(context: KanikoContext, message: string): number {
  context.out(`error: ${message}`);
  return 1;
}

function checkArguments(parsed: Arguments): string | undefined {
  if (parsed.texts('destination').length === 0 && !parsed.flag('no-push')) {
    return 'you must provide --destination, or use --no-push';
  }
  for (const pair of [...parsed.texts('build-arg'), ...parsed.texts('label')]) {
    if (pair.startsWith('=')) return `${pair} is not KEY=VALUE`;
  }
  for (const destination of parsed.texts('destination')) {
    try {
      parseReference(destination);
    } catch (error) {
      return `--destination ${destination}: ${messageOf(error)}`;
    }
  }
  return undefined;
}

async function buildAndPush(parsed: Arguments, context: KanikoContext): Promise<number> {
  const destinations = parsed.texts('destination').map((text) => parseReference(text));
  const targets = parsed.flag('no-push') ? [] : destinations;
  // Before the build, as kaniko does: a build of minutes must not end in "access denied".
  const granted = await Promise.all(targets.map((target) => access(target, context)));
  const denied = granted.find((grant) => grant.denied !== undefined)?.denied;
  if (denied !== undefined) return fail(context, denied);
  const outcome = await context.builder.build(await buildRequest(parsed, context));
  if (outcome.kind === 'failed') return fail(context, outcome.message);
  const { image, steps, cachedSteps } = outcome;
  context.out(`Built ${image.digest} (${cachedSteps} of ${steps} steps were cached)`);
  for (const grant of granted) await send(grant, image, parsed, context);
  await writeResults(parsed, destinations, image, context);
  return 0;
}

async function buildRequest(parsed: Arguments, context: KanikoContext) {
  const folder = await contextFolder(parsed, context);
  const dockerfile = parsed.text('dockerfile') ?? 'Dockerfile';
  const target = parsed.text('target');
  const platform = parsed.text('custom-platform') ?? parsed.text('customPlatform');
  return {
    context: folder.context,
    // Relative to the working directory when it is there, else to the context: kaniko looks in both.
    dockerfile: await dockerfilePath(dockerfile, folder.inside, context),
    buildArgs: pairs(parsed.texts('build-arg'), context.env),
    labels: pairs(parsed.texts('label'), {}),
    // Without --cache kaniko builds all again; the same commit gives the same layers, so only `false` means it here.
    cache: parsed.text('cache') !== 'false',
    timestampMs: context.timestampMs,
    onLog: context.out,
    signal: context.signal,
    ...(target === undefined || target === '' ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  };
}

async function contextFolder(
  parsed: Arguments,
  context: KanikoContext,
): Promise<{ readonly inside: string; readonly context: BuildContext }> {
  const given = (parsed.text('context') ?? '/workspace').replace(/^dir:\/\//, '');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) {
    throw new Fault('CONTEXT_UNSUPPORTED', `--context ${given}: only folders are understood (dir://)`);
  }
  const inside = path.posix.resolve(context.cwd, given, parsed.text('context-sub-path') ?? '');
  return { inside, context: { kind: 'folder', path: await context.files.hostPath(inside) } };
}

async function dockerfilePath(given: string, folder: string, context: KanikoContext): Promise<string> {
  for (const base of [context.cwd, folder]) {
    const inside = path.posix.resolve(base, given);
    if ((await context.files.readText(inside)) === undefined) continue;
    // Below the context it is known by that name, also in messages.
    const below = path.posix.relative(folder, inside);
    return below.startsWith('..') ? context.files.hostPath(inside) : below;
  }
  throw new Fault(
    'DOCKERFILE_MISSING',
    `there is no Dockerfile ${given}, neither in ${context.cwd} nor in ${folder}`,
  );
}

/** `KEY=VALUE`; a bare KEY takes its value from the environment. */
function pairs(
  texts: readonly string[],
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.flatMap((text) => {
      const cut = text.indexOf('=');
      if (cut > 0) return [[text.slice(0, cut), text.slice(cut + 1)]];
      const value = env[text];
      return value === undefined ? [] : [[text, value]];
    }),
  );
}

interface Grant {
  readonly reference: Reference;
  readonly credentials: Credentials | undefined;
  readonly denied: string | undefined;
}

async function access(reference: Reference, context: KanikoContext): Promise<Grant> {
  const config = await context.files.readText(
    `${context.env['DOCKER_CONFIG'] ?? '/kaniko/.docker'}/config.json`,
  );
  const credentials = credentialsFor(reference.registry, config, context.env);
  const isOurs = reference.registry === context.registryHost;
  if (!isOurs) return { reference, credentials, denied: undefined };
  const allowed = credentials !== undefined && context.mayPush(credentials, reference.repository);
  const why =
    credentials === undefined ? 'no credentials for it were found' : 'the credentials are not accepted';
  const denied = allowed ? undefined : `pushing to ${formatReference(reference)} is not allowed: ${why}`;
  return { reference, credentials, denied };
}

async function send(grant: Grant, image: Image, parsed: Arguments, context: KanikoContext): Promise<void> {
  const name = formatReference(grant.reference);
  if (grant.reference.registry === context.registryHost) {
    await context.store.tag(name, image.digest);
  } else {
    await push(context.store, image, name, {
      insecure: parsed.flag('insecure'),
      signal: context.signal,
      ...(grant.credentials ? { credentials: grant.credentials } : {}),
    });
  }
  context.out(`Pushed ${name}`);
}

/** The files that tell later steps what was built. */
async function writeResults(
  parsed: Arguments,
  destinations: readonly Reference[],
  image: Image,
  context: KanikoContext,
): Promise<void> {
  const { digest } = image;
  const bare = destinations.map(({ registry, repository }) => `${registry}/${repository}@${digest}`);
  const tagged = destinations.map((reference) => `${formatReference(reference)}@${digest}`);
  const files: readonly (readonly [string, string])[] = [
    ['digest-file', digest],
    ['image-name-with-digest-file', bare.join('\n')],
    ['image-name-tag-with-digest-file', tagged.join('\n')],
  ];
  for (const [flag, text] of files) {
    const target = parsed.text(flag);
    if (target !== undefined) context.files.writeText(path.posix.resolve(context.cwd, target), text);
  }
  await writeImages(parsed, destinations, image, context);
}

/** The image itself, as files of the job. */
async function writeImages(
  parsed: Arguments,
  destinations: readonly Reference[],
  image: Image,
  { files, cwd, store }: KanikoContext,
): Promise<void> {
  const onHost = (inside: string) => files.hostPath(path.posix.resolve(cwd, inside));
  const layout = parsed.text('oci-layout-path');
  if (layout !== undefined) await exportOciLayout(store, image, await onHost(layout));
  const tar = parsed.text('tar-path') ?? parsed.text('tarPath');
  if (tar === undefined) return;
  const names = destinations.map(formatReference);
  await exportArchive(store, image, await onHost(tar), { format: 'docker', names });
}
