import path from 'node:path';
import { Fault } from '@updraft/kit';
import type { BuildContext } from '@updraft/builder';
import type { JobFiles } from './command.ts';
import type { Arguments } from './parse.ts';

interface Surroundings {
  readonly files: JobFiles;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a build works from, and where its Dockerfile is: below the context, or a file of the job. */
export interface BuildSource {
  readonly context: BuildContext;
  readonly dockerfile: string;
}

/** @throws Fault CONTEXT_UNSUPPORTED, DOCKERFILE_MISSING */
export async function buildSource(parsed: Arguments, job: Surroundings): Promise<BuildSource> {
  const given = parsed.text('context') ?? '/workspace';
  const folder = parsed.text('context-sub-path');
  const dockerfile = parsed.text('dockerfile') ?? 'Dockerfile';
  if (/^(git|https?|ssh):\/\//.test(given))
    return await remoteSource(parsed, job, { given, folder, dockerfile });
  if (given.startsWith('tar://')) {
    const archive = given.slice('tar://'.length);
    if (archive === 'stdin')
      throw unsupported(given, 'an archive has to be a file of the job: tar:///path/context.tar.gz');
    const host = await job.files.hostPath(path.posix.resolve(job.cwd, archive));
    const context = { kind: 'archive', path: host, ...(folder ? { folder } : {}) } as const;
    return { context, dockerfile: (await ownDockerfile(dockerfile, job)) ?? dockerfile };
  }
  const plain = given.replace(/^dir:\/\//, '');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(plain))
    throw unsupported(given, 'folders (dir://), archives (tar://) and Git (git://) are understood');
  const inside = path.posix.resolve(job.cwd, plain, folder ?? '');
  const context = { kind: 'folder', path: await job.files.hostPath(inside) } as const;
  return { context, dockerfile: await folderDockerfile(dockerfile, inside, job) };
}

const unsupported = (given: string, why: string) =>
  new Fault('CONTEXT_UNSUPPORTED', `--context ${given}: ${why}`);

async function remoteSource(
  parsed: Arguments,
  job: Surroundings,
  { given, folder, dockerfile }: { given: string; folder: string | undefined; dockerfile: string },
): Promise<BuildSource> {
  const own = (await ownDockerfile(dockerfile, job)) ?? dockerfile;
  const part = folder ? { folder } : {};
  if (/^https?:\/\/[^#?]*\.(tar|tgz|tar\.gz|tar\.xz|tar\.bz2)([#?]|$)/.test(given))
    return { context: { kind: 'archive', path: given, ...part }, dockerfile: own };
  const username = job.env['GIT_USERNAME'];
  const password = job.env['GIT_TOKEN'] ?? job.env['GIT_PASSWORD'];
  const credentials = password ? { credentials: { username: username ?? 'oauth2', password } } : {};
  const context = { kind: 'git', url: gitUrl(parsed, given, job.env), ...part, ...credentials } as const;
  return { context, dockerfile: own };
}

/** `git://host/repo[#ref[#commit]]` is fetched over HTTPS, as kaniko does, or as GIT_PULL_METHOD says. */
function gitUrl(parsed: Arguments, given: string, env: Surroundings['env']): string {
  const [address = '', ref, commit] = given.split('#');
  const method = env['GIT_PULL_METHOD'] ?? 'https';
  const remote = address.replace(/^git:/, `${/^https?$/.test(method) ? method : 'https'}:`);
  const options = Object.fromEntries(
    parsed.texts('git').flatMap((text) =>
      text.split(',').map((field) => {
        const [name = '', value = ''] = field.split('=');
        return [name, value];
      }),
    ),
  ) as Record<string, string>;
  const wanted = commit || ref || options['branch'] || '';
  const named =
    remote.endsWith('.git') || remote.startsWith('ssh:') ? remote : `${remote.replace(/\/$/, '')}.git`;
  const submodules = options['recurse-submodules'] === 'true' ? '' : '?submodules=false';
  return `${named}${submodules}${wanted === '' ? '' : `#${wanted}`}`;
}

/** A Dockerfile that is a file of the job, beside a context that is elsewhere. */
async function ownDockerfile(given: string, { files, cwd }: Surroundings): Promise<string | undefined> {
  const inside = path.posix.resolve(cwd, given);
  return (await files.readText(inside)) === undefined ? undefined : files.hostPath(inside);
}

/** Relative to the working directory when it is there, else to the context: kaniko looks in both. */
async function folderDockerfile(
  given: string,
  folder: string,
  { files, cwd }: Surroundings,
): Promise<string> {
  for (const base of [cwd, folder]) {
    const inside = path.posix.resolve(base, given);
    if ((await files.readText(inside)) === undefined) continue;
    // Below the context it is known by that name, also in messages.
    const below = path.posix.relative(folder, inside);
    return below.startsWith('..') ? files.hostPath(inside) : below;
  }
  throw new Fault(
    'DOCKERFILE_MISSING',
    `there is no Dockerfile ${given}, neither in ${cwd} nor in ${folder}`,
  );
}
