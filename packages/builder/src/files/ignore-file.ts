import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { resolveInRoot } from '@updraft/kit';
import { compileIgnore } from '@updraft/dockerfile';
import type { Ignore } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import { statusOf } from './merged-root.ts';
import { readTextInside } from './open-inside.ts';

/** `<Dockerfile>.dockerignore` beside the Dockerfile when there is one, else the context's `.dockerignore`. */
export async function readIgnore(
  context: string,
  dockerfile: string | undefined,
): Promise<Ignore | undefined> {
  const own = dockerfile === undefined ? undefined : await textOf(`${dockerfile}.dockerignore`);
  const text = own ?? (await textOf(await resolveInRoot(context, '.dockerignore')));
  if (text === undefined) return undefined;
  const ignore = compileIgnore(text);
  const [wrong] = ignore.problems;
  if (wrong) throw new BuildFailure(`.dockerignore:${wrong.line}: ${wrong.message}`);
  return ignore;
}

async function textOf(file: string): Promise<string | undefined> {
  return (await statusOf(file))?.isFile() === true ? await readTextInside(file) : undefined;
}

/** Where a Dockerfile lies on the host: an absolute path, or one inside the context. */
export async function dockerfilePath(context: string | undefined, dockerfile: string): Promise<string> {
  if (!path.isAbsolute(dockerfile) && context !== undefined) return await resolveInRoot(context, dockerfile);
  const folder = path.dirname(path.resolve(dockerfile));
  return path.join(await realpath(folder).catch(() => folder), path.basename(dockerfile));
}
