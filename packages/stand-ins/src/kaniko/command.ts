import path from 'node:path';
import { Fault, messageOf } from '@updraft/kit';
import { namedContext } from '@updraft/builder';
import type { Builder, BuildRequest, NamedContext } from '@updraft/builder';
import {
  compressLayers,
  exportArchive,
  exportOciLayout,
  formatReference,
  isCompressionLevel,
  parseReference,
} from '@updraft/oci';
import type { Credentials, Digest, Image, ImageStore, LayerForm, Reference } from '@updraft/oci';
import { access, send } from './destinations.ts';
import { FLAGS } from './flags.ts';
import { parseKaniko } from './parse.ts';
import type { Arguments } from './parse.ts';
import { baseAccess } from './registries.ts';
import { buildSource } from './source.ts';

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
  if (parsed.flag('help') || parsed.flag('version')) return tell(parsed, context);
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

function tell(parsed: Arguments, context: KanikoContext): number {
  if (parsed.flag('version'))
    context.out('Kaniko version :  v1.24.0 (its command line, on the builder of Updraft)');
  else
    context.out(
      `flags: ${Object.keys(FLAGS)
        .map((name) => `--${name}`)
        .join(' ')}`,
    );
  return 0;
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
  return checkCompression(parsed);
}

function checkCompression(parsed: Arguments): string | undefined {
  const [kind = 'gzip', level] = [parsed.text('compression'), parsed.text('compression-level')];
  if (kind !== 'gzip' && kind !== 'zstd') return `--compression ${kind}: it is gzip or zstd`;
  if (level === undefined || isCompressionLevel(kind, Number(level))) return undefined;
  return `--compression-level ${level}: ${kind} has no such level`;
}

/** As they are to be compressed, when that was said. */
function formOf(parsed: Arguments): LayerForm | undefined {
  const [kind, level] = [parsed.text('compression'), parsed.text('compression-level')];
  if (kind === undefined && level === undefined) return undefined;
  return { kind: kind === 'zstd' ? 'zstd' : 'gzip', level: level === undefined ? undefined : Number(level) };
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
  const { steps, cachedSteps } = outcome;
  const form = formOf(parsed);
  const built = form ? await compressLayers(context.store, outcome.image, form) : outcome.image;
  const image = await annotated(built, parsed, context);
  context.out(`Built ${image.digest} (${cachedSteps} of ${steps} steps were cached)`);
  const digests: Digest[] = [];
  for (const grant of granted) digests.push(await send(grant, image, parsed, context));
  writeResults(parsed, destinations, { digest: image.digest, digests }, context);
  await writeImages(parsed, destinations, image, context);
  return 0;
}

async function buildRequest(parsed: Arguments, context: KanikoContext): Promise<BuildRequest> {
  const source = await buildSource(parsed, context);
  const target = parsed.text('target');
  const platform = parsed.text('custom-platform') ?? parsed.text('customPlatform');
  const ttl = parsed.text('cache-ttl');
  return {
    ...source,
    confined: true,
    buildArgs: pairs(parsed.texts('build-arg'), context.env),
    labels: pairs(parsed.texts('label'), {}),
    secrets: await secretsOf(parsed, context),
    buildContexts: await namedContexts(parsed, context),
    access: baseAccess(parsed, context),
    singleLayer: parsed.flag('single-snapshot'),
    // Without --cache kaniko builds all again; the same commit gives the same layers, so only `false` means it here.
    cache: parsed.text('cache') !== 'false',
    timestampMs: context.timestampMs,
    onLog: context.out,
    signal: context.signal,
    ...(ttl === undefined ? {} : { cacheMaxAgeMs: durationMs(ttl) }),
    ...(target === undefined || target === '' ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  };
}

async function secretsOf(parsed: Arguments, { files, cwd, env }: KanikoContext) {
  const secrets: Record<string, { kind: 'value'; value: string }> = {};
  for (const text of parsed.texts('secret')) {
    const fields = Object.fromEntries(text.split(',').map((field) => field.split('=', 2))) as Record<
      string,
      string
    >;
    const { id, env: variable } = fields;
    const file = fields['src'] ?? fields['source'];
    if (!id) throw new Fault('SECRET_INVALID', 'a --secret needs id=…, and src=… or env=…');
    const named = variable ?? (file === undefined ? id : undefined);
    const value = file === undefined ? env[named ?? id] : await files.readText(path.posix.resolve(cwd, file));
    if (value === undefined)
      throw new Fault('SECRET_MISSING', `--secret ${id}: there is no ${file ?? `variable ${named ?? id}`}`);
    secrets[id] = { kind: 'value', value };
  }
  return secrets;
}

/** `NAME=SOURCE`: a folder of the job, an OCI layout in it, an image or a repository. */
async function namedContexts(parsed: Arguments, { files, cwd }: KanikoContext) {
  const contexts: Record<string, NamedContext> = {};
  for (const [name, source] of Object.entries(pairs(parsed.texts('build-context'), {}))) {
    const context = namedContext(source);
    const isFile = context.kind === 'folder' || context.kind === 'layout' || context.kind === 'archive';
    const isHere = isFile && !/^https?:/.test(context.path);
    contexts[name] = isHere
      ? { ...context, path: await files.hostPath(path.posix.resolve(cwd, context.path)) }
      : context;
  }
  return contexts;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** As Go writes durations: `336h`, `1h30m`. */
function durationMs(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw new Fault('DURATION_INVALID', `--cache-ttl ${text} is no duration; write it like 6h`);
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNITS_MS[unit ?? ''] ?? 0),
    0,
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

/** The image with `--annotation`s in its manifest, which makes it another one. */
async function annotated(image: Image, parsed: Arguments, { store }: KanikoContext): Promise<Image> {
  const annotations = pairs(parsed.texts('annotation'), {});
  if (Object.keys(annotations).length === 0) return image;
  const manifest = { ...image.manifest, annotations: { ...image.manifest.annotations, ...annotations } };
  const { digest } = await store.blobs.write(Buffer.from(JSON.stringify(manifest)));
  const found = await store.get(digest);
  if (found) return found;
  throw new Fault('ANNOTATION_FAILED', 'the image with its annotations cannot be read back');
}

/** The files that tell later steps what was built; `digests` are those the destinations have it under. */
function writeResults(
  parsed: Arguments,
  destinations: readonly Reference[],
  { digest, digests }: { digest: Digest; digests: readonly Digest[] },
  context: KanikoContext,
): void {
  const at = (index: number) => digests[index] ?? digest;
  const bare = destinations.map(
    ({ registry, repository }, index) => `${registry}/${repository}@${at(index)}`,
  );
  const tagged = destinations.map((reference, index) => `${formatReference(reference)}@${at(index)}`);
  const files: readonly (readonly [string, string])[] = [
    ['digest-file', at(0)],
    ['image-name-with-digest-file', bare.join('\n')],
    ['image-name-tag-with-digest-file', tagged.join('\n')],
  ];
  for (const [flag, text] of files) {
    const target = parsed.text(flag);
    if (target !== undefined) context.files.writeText(path.posix.resolve(context.cwd, target), text);
  }
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
  const compressed = formOf(parsed) !== undefined;
  await exportArchive(store, image, await onHost(tar), { format: 'docker', names, compressed });
}
