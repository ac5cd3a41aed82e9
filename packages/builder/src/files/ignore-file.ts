import path from 'node:path';
import { readTextIfPresent, resolveInRoot } from '@updraft/kit';
import { compileIgnore } from '@updraft/dockerfile';
import type { Ignore } from '@updraft/dockerfile';

/** `<Dockerfile>.dockerignore` beside the Dockerfile when there is one, else the context's `.dockerignore`. */
export async function readIgnore(
  context: string,
  dockerfile: string | undefined,
): Promise<Ignore | undefined> {
  const own = dockerfile === undefined ? undefined : await readTextIfPresent(`${dockerfile}.dockerignore`);
  const text = own ?? (await readTextIfPresent(await resolveInRoot(context, '.dockerignore')));
  return text === undefined ? undefined : compileIgnore(text);
}

/** Where a Dockerfile lies on the host: an absolute path, or one inside the context. */
export async function dockerfilePath(context: string | undefined, dockerfile: string): Promise<string> {
  if (path.isAbsolute(dockerfile) || context === undefined) return path.resolve(dockerfile);
  return await resolveInRoot(context, dockerfile);
}
