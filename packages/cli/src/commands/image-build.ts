import path from 'node:path';
import type { BuildImage, ControlClient } from '@updraft/control';
import { EXIT, UsageError, keyValues } from '../command.ts';
import type { Context, Option } from '../command.ts';

export const BUILD_OPTIONS: readonly Option[] = [
  {
    name: 'context',
    value: 'SRC',
    help: 'build: the folder, tar archive or Git URL that COPY reads (default: .)',
  },
  { name: 'dockerfile', short: 'f', value: 'FILE', help: 'build: default CONTEXT/Dockerfile' },
  { name: 'build-arg', value: 'K=V', repeated: true, help: 'build: set an ARG' },
  { name: 'target', value: 'STAGE', help: 'build: the stage to stop at' },
  {
    name: 'secret',
    value: 'id=I,src=F',
    repeated: true,
    help: 'build: a file, or with env=NAME a variable, for RUN --mount=type=secret',
  },
  {
    name: 'ssh',
    value: 'ID[=SOCKET]',
    repeated: true,
    help: 'build: an SSH agent for RUN --mount=type=ssh (default: this session’s)',
  },
  {
    name: 'build-context',
    value: 'NAME=SRC',
    repeated: true,
    help: 'build: a named context: DIR, oci-layout:DIR, docker-image://REF, a tar archive, a Git URL',
  },
  { name: 'tag', short: 't', value: 'REF', repeated: true, help: 'build: a name for the image' },
  { name: 'label', value: 'K=V', repeated: true, help: 'build: a label of the image' },
  { name: 'platform', value: 'OS/ARCH', help: 'build: what the image is for (default: this machine)' },
  { name: 'allow', value: 'WHAT', repeated: true, help: 'build: network.host or security.insecure' },
  { name: 'no-cache', help: 'build: do every step again' },
  { name: 'timeout', value: 'SECONDS', help: 'build: give up after this long' },
  { name: 'memory', value: 'MB', help: 'build: the most memory a RUN may take' },
  { name: 'processes', value: 'N', help: 'build: the most processes a RUN may have' },
  { name: 'sbom', help: 'build: attach a list of what is installed in the image (SPDX)' },
  { name: 'sbom-format', value: 'FORMAT', help: 'build: spdx or cyclonedx; means --sbom' },
  { name: 'provenance', help: 'build: attach a statement of what the image was made from (in-toto, SLSA)' },
  { name: 'oci-layout', value: 'OUT', help: 'build, export: also write an OCI layout to this folder' },
];

export async function build(client: ControlClient, context: Context): Promise<number> {
  const events = client.stream('POST /v1/images/build', buildRequest(context), { signal: context.signal });
  for await (const event of events) {
    if (event.type === 'log') context.output.say(event.text.trimEnd());
    else if (event.type === 'built') {
      context.output.say(`${event.cachedSteps} of ${event.steps} steps were cached`);
      context.output.result(event.digest);
      return EXIT.passed;
    } else {
      context.output.say(`${context.output.style('red', 'error:')} ${event.message}`);
      return EXIT.failed;
    }
  }
  return EXIT.failed;
}

/** What the command line asks of the daemon. @throws UsageError */
export function buildRequest(context: Context): BuildImage {
  const source = sourceOf(context.text('context') ?? '.', context.cwd);
  const target = context.text('target');
  const layout = context.text('oci-layout');
  const platform = context.text('platform');
  const named = Object.entries(keyValues(context.texts('build-context'), 'build-context'));
  return {
    context: source,
    dockerfile: dockerfileOf(context, source),
    buildArgs: { ...sourceDate(context), ...keyValues(context.texts('build-arg'), 'build-arg') },
    tags: context.texts('tag'),
    secrets: context.texts('secret').map((text) => secretOf(text, context)),
    buildContexts: Object.fromEntries(named.map(([name, value]) => [name, namedSource(value, context.cwd)])),
    labels: keyValues(context.texts('label'), 'label'),
    ssh: Object.fromEntries(context.texts('ssh').map((text) => sshOf(text, context))),
    allow: context.texts('allow'),
    noCache: context.flag('no-cache'),
    ...numberOf(context, 'timeout', (seconds) => ({ timeoutMs: seconds * 1000 })),
    ...numberOf(context, 'memory', (megabytes) => ({ memoryBytes: megabytes * 1024 * 1024 })),
    ...numberOf(context, 'processes', (processes) => ({ processes })),
    ...attachments(context),
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
    ...(layout === undefined ? {} : { ociLayout: path.resolve(context.cwd, layout) }),
  };
}

/** Whoever sets it for all tools of a build means this one too. */
function sourceDate({ env }: Context): Record<string, string> {
  const date = env['SOURCE_DATE_EPOCH'] ?? '';
  return date === '' ? {} : { SOURCE_DATE_EPOCH: date };
}

function attachments(context: Context): Pick<BuildImage, 'sbom' | 'provenance'> {
  const format = context.text('sbom-format') ?? (context.flag('sbom') ? 'spdx' : undefined);
  const provenance = context.flag('provenance');
  if ((format !== undefined || provenance) && context.texts('tag').length === 0)
    throw new UsageError(
      'what is attached to an image is found by the image’s name',
      'Give it one with --tag.',
    );
  if (format !== undefined && format !== 'spdx' && format !== 'cyclonedx')
    throw new UsageError(`there is no SBOM format ${format}`, 'It is spdx or cyclonedx.');
  return { ...(format && { sbom: format }), ...(provenance && { provenance }) };
}

/** What is no path of this machine stays as it is. */
function sourceOf(text: string, cwd: string): string {
  const isElsewhere = /^[a-z]+:\/\//.test(text) || /^[\w.-]+@[\w.-]+:/.test(text);
  return isElsewhere ? text : path.resolve(cwd, text);
}

/** A folder as `./x`, `../x`, `/x`; a layout as `oci-layout:x`. Anything else is an image or an address. */
function namedSource(text: string, cwd: string): string {
  const layout = /^oci-layout:(?:\/\/)?(.+)$/.exec(text)?.[1];
  if (layout !== undefined) return `oci-layout:${path.resolve(cwd, layout)}`;
  return /^\.{0,2}(\/|$)/.test(text) ? path.resolve(cwd, text) : text;
}

/** In a context that is an archive or elsewhere, a name is looked for there. */
function dockerfileOf(context: Context, source: string): string {
  const given = context.text('dockerfile');
  const isFolder = source.startsWith('/') && !/\.(tar|tgz|tar\.\w+)$/.test(source);
  if (!isFolder) return given ?? 'Dockerfile';
  return given === undefined ? path.join(source, 'Dockerfile') : path.resolve(context.cwd, given);
}

function numberOf<T extends object>(context: Context, name: string, use: (value: number) => T): T | object {
  const text = context.text(name);
  if (text === undefined) return {};
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return use(value);
  throw new UsageError(`--${name} ${text}: needs a number`, `For example: --${name} 600`);
}

function secretOf(text: string, { cwd, env }: Context): BuildImage['secrets'][number] {
  const fields = keyValues(text.split(','), 'secret');
  const { id, env: variable } = fields;
  const source = fields['src'] ?? fields['source'];
  if (id !== undefined && source !== undefined) return { id, source: path.resolve(cwd, source) };
  const value = env[variable ?? id ?? ''];
  if (id !== undefined && value !== undefined) return { id, value };
  const next = 'Write it as id=NAME,src=FILE or id=NAME,env=VARIABLE.';
  throw new UsageError(`--secret ${text}: needs id, and src or env`, next);
}

/** `ID` or `ID=SOCKET`: without a socket it is this session's agent. */
function sshOf(text: string, { cwd, env }: Context): [string, string] {
  const [id, given] = text.split('=', 2);
  const socket = given ?? env['SSH_AUTH_SOCK'] ?? '';
  if (socket !== '') return [id || 'default', path.resolve(cwd, socket)];
  const next = 'Start one, or name its socket: --ssh default=/path/to/socket';
  throw new UsageError(`--ssh ${text}: there is no agent`, next);
}
