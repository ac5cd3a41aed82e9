import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import type { ControlClient, ImageAction, Routes } from '@updraft/control';
import { EXIT, UsageError } from '../command.ts';
import type { Context, Option } from '../command.ts';
import { table } from '../render/table.ts';

type ImageEvent = Routes['POST /v1/images/action']['response'];
type ProgressEvent = Extract<ImageEvent, { readonly type: 'progress' }>;
type Verb = ImageAction['action'];

/** Options of everything that `updraft image` does but `build`. */
export const ACTION_OPTIONS: readonly Option[] = [
  {
    name: 'platform',
    value: 'OS/ARCH',
    help: 'pull: for another machine than this one, such as linux/arm64',
  },
  { name: 'username', short: 'u', value: 'NAME', help: 'pull, push, login: who signs in' },
  { name: 'password-stdin', help: 'pull, push, login: read the password from standard input' },
  { name: 'insecure', help: 'pull, push, login: the registry speaks plain HTTP' },
  { name: 'output', short: 'o', value: 'FILE', help: 'save: the archive to write' },
  {
    name: 'input',
    short: 'i',
    value: 'FILE',
    help: 'load: the archive, or the folder of an OCI layout, to read',
  },
  { name: 'format', value: 'FORMAT', help: 'save: docker (default) or oci' },
  { name: 'unused-for', value: 'TIME', help: 'prune: only what was of no use for so long (90m, 12h, 7d)' },
  {
    name: 'down-to',
    value: 'SIZE',
    help: 'prune: only until all images take no more than this (500MB, 10GB)',
  },
  { name: 'build-cache', help: 'prune: also layers that builds may use again' },
  { name: 'json', help: 'the result as JSON' },
];

export const ACTION_DETAILS = `
  image list                      names, digests and sizes
  image pull REF                  fetch from its registry
  image push REF [NAME]           send to its registry, or to that of NAME
  image inspect REF               config, layers, and what is attached to it
  image tag REF NAME              another name for it
  image rm REF...                 take names away, and content that nothing else needs
  image save REF -o FILE          an archive for docker load; --format oci: an OCI layout in a tar
  image load -i FILE [NAME]       images of such an archive, or of the folder of an OCI layout
  image export REF --oci-layout DIR
  image login REGISTRY -u NAME --password-stdin, image logout REGISTRY
  image prune                     remove what no name leads to; what runs or is on its way stays, and what builds
                                  may use again unless --build-cache is given

Pull and push sign in with what login has kept, else with Docker's config.json (credential helpers are not asked), and
go through HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the shell that started the platform. Its UPDRAFT_REGISTRY_MIRRORS
(docker.io=mirror.example.com/hub,ghcr.io=http://10.0.0.1:5000) names registries to pull from first.`;

/** What each verb needs beside the options, and how its result is shown to a person. */
interface Manner {
  readonly words: readonly [least: number, most: number];
  readonly example: string;
  readonly request: (context: Context, words: readonly string[]) => Promise<Partial<ImageAction>>;
  readonly show: (result: never) => string;
}

const digestLine = ({ digest, notes = [] }: { digest: string; notes?: readonly string[] }): string =>
  [digest, ...notes].join('\n');

const removedLine = ({ removedBytes }: { removedBytes: number }): string =>
  `${(removedBytes / 1e6).toFixed(1)} MB removed`;

const MANNERS: Readonly<Record<Verb, Manner>> = {
  pull: { words: [1, 1], example: 'pull node:24', request: transfer, show: digestLine },
  push: {
    words: [1, 2],
    example: 'push app:1 registry.example.com/group/app:1',
    request: async (context, [, target]) => ({ ...(await transfer(context)), ...(target && { target }) }),
    show: digestLine,
  },
  inspect: {
    words: [1, 1],
    example: 'inspect node:24',
    request: none,
    show: (result) => JSON.stringify(result, null, 2),
  },
  export: {
    words: [1, 1],
    example: 'export node:24 --oci-layout DIR',
    request: (context) =>
      Promise.resolve({ ociLayout: path.resolve(context.cwd, needed(context, 'oci-layout', 'export')) }),
    show: ({ path: written }: { path: string }) => written,
  },
  save: {
    words: [1, 1],
    example: 'save node:24 -o node.tar',
    request: (context) => {
      const file = path.resolve(context.cwd, needed(context, 'output', 'save'));
      return Promise.resolve({ file, format: formatOf(context.text('format') ?? 'docker') });
    },
    show: ({ path: written }: { path: string }) => written,
  },
  load: {
    words: [0, 1],
    example: 'load -i node.tar',
    request: (context, [target]) => {
      const file = path.resolve(context.cwd, needed(context, 'input', 'load'));
      return Promise.resolve({ file, reference: '', ...(target && { target }) });
    },
    show: (result: readonly { digest: string; names: readonly string[] }[]) =>
      result.map(({ digest, names }) => [digest, ...names].join(' ')).join('\n'),
  },
  tag: {
    words: [2, 2],
    example: 'tag node:24 mine:1',
    request: (_context, [, target = '']) => Promise.resolve({ target }),
    show: ({ name }: { name: string }) => name,
  },
  rm: { words: [1, 100], example: 'rm node:24', request: none, show: removedLine },
  prune: {
    words: [0, 0],
    example: 'prune',
    request: (context) => {
      const [unused, downTo] = [context.text('unused-for'), context.text('down-to')];
      return Promise.resolve({
        reference: '',
        ...(unused !== undefined && { unusedForMs: milliseconds(unused) }),
        ...(downTo !== undefined && { maxBytes: bytes(downTo) }),
        ...(context.flag('build-cache') && { buildCache: true }),
      });
    },
    show: removedLine,
  },
  login: {
    words: [1, 1],
    example: 'login registry.example.com -u NAME --password-stdin',
    request: async (context) => {
      const asked = await transfer(context);
      if (asked.password !== undefined) return asked;
      throw new UsageError(
        'updraft image login needs --username and --password-stdin',
        'For example: echo "$TOKEN" | updraft image login registry.example.com -u me --password-stdin',
      );
    },
    show: ({ registry }: { registry: string }) => `Signed in to ${registry}`,
  },
  logout: {
    words: [1, 1],
    example: 'logout registry.example.com',
    request: none,
    show: ({ forgotten }: { forgotten: boolean }) =>
      forgotten ? 'Forgotten' : 'There was nothing to forget',
  },
};

export const ACTIONS: readonly string[] = Object.keys(MANNERS);

export const isAction = (word: string): word is Verb => ACTIONS.includes(word);

export async function act(client: ControlClient, context: Context, verb: Verb): Promise<number> {
  const words = context.words.slice(1);
  const { words: allowed, example, request, show } = MANNERS[verb];
  const [least, most] = allowed;
  if (words.length < least || words.length > most)
    throw new UsageError(
      words.length < least
        ? `updraft image ${verb} needs ${least === 1 ? 'one name' : 'two names'}`
        : 'too many words',
      `For example: updraft image ${example}`,
    );
  const more = await request(context, words);
  // Only rm takes several images, each for itself.
  const references = verb === 'rm' ? words : [words[0] ?? ''];
  for (const reference of references) {
    const result = await carryOut(client, context, { action: verb, reference, ...more });
    if (result === undefined) return EXIT.failed;
    context.output.result(
      context.flag('json') ? JSON.stringify(result.value, null, 2) : show(result.value as never),
    );
  }
  return EXIT.passed;
}

/** The result; undefined when it failed, which was said. */
async function carryOut(
  client: ControlClient,
  context: Context,
  action: ImageAction,
): Promise<{ readonly value: unknown } | undefined> {
  const { output } = context;
  const showProgress = progressShower(context);
  for await (const event of client.stream('POST /v1/images/action', action, { signal: context.signal })) {
    if (event.type === 'progress') {
      showProgress(event);
      continue;
    }
    if (output.live) output.raw('\r\u001b[K');
    if (event.type === 'done') return { value: event.result };
    output.say(`${output.style('red', 'error:')} ${event.message}`);
    if (event.next !== undefined) output.say(`  ${event.next}`);
    return undefined;
  }
  return undefined;
}

/** Where lines cannot be written over, one line for each tenth. */
function progressShower({ output }: Context): (event: ProgressEvent) => void {
  let lastTenth = -1;
  return ({ text, doneBytes, totalBytes }) => {
    if (output.live) return output.raw(`\r\u001b[K${text}`);
    const tenth = Math.floor((doneBytes / Math.max(1, totalBytes)) * 10);
    if (tenth !== lastTenth) output.say(text);
    lastTenth = tenth;
  };
}

export async function list(client: ControlClient, context: Context): Promise<number> {
  const images = await client.call('GET /v1/images', undefined);
  if (context.flag('json')) {
    context.output.result(JSON.stringify(images, null, 2));
    return EXIT.passed;
  }
  const rows = images.map((each) => [
    each.name,
    each.digest.slice(7, 19),
    `${(each.sizeBytes / 1e6).toFixed(1)} MB`,
    each.createdAt ?? '',
  ]);
  const head = ['NAME', 'DIGEST', 'SIZE', 'CREATED'].map((cell) => context.output.style('bold', cell));
  context.output.result(rows.length === 0 ? 'No images yet' : table([head, ...rows]));
  return EXIT.passed;
}

function none(): Promise<Partial<ImageAction>> {
  return Promise.resolve({});
}

async function transfer(context: Context): Promise<Partial<ImageAction>> {
  const username = context.text('username');
  const platform = context.text('platform');
  const hasPassword = context.flag('password-stdin');
  if ((username === undefined) === hasPassword)
    throw new UsageError(
      '--username and --password-stdin go together',
      'A password in the arguments could be read by others.',
    );
  return {
    ...(username !== undefined && {
      username,
      password: (await textOf(process.stdin)).replace(/\r?\n$/, ''),
    }),
    ...(platform !== undefined && { platform }),
    ...(context.flag('insecure') && { insecure: true }),
  };
}

function needed(context: Context, option: string, verb: Verb): string {
  const value = context.text(option);
  if (value !== undefined) return value;
  throw new UsageError(
    `updraft image ${verb} needs --${option}`,
    `For example: updraft image ${MANNERS[verb].example}`,
  );
}

function formatOf(text: string): 'docker' | 'oci' {
  if (text === 'docker' || text === 'oci') return text;
  throw new UsageError(`there is no format ${text}`, 'It is docker or oci.');
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function milliseconds(text: string): number {
  const [, number, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (UNITS_MS[unit] ?? 0);
  throw new UsageError(`--unused-for ${text}: not a time`, 'Write it as 90m, 12h or 7d.');
}

const UNITS_BYTES: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

function bytes(text: string): number {
  const [, number, unit = ''] = /^([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)B?$/i.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (UNITS_BYTES[unit.toUpperCase()] ?? 1);
  throw new UsageError(`--down-to ${text}: not a size`, 'Write it as 500MB or 10GB.');
}
