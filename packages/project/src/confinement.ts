import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { isTracked } from '@updraft/git';
import { ProjectFault } from './faults.ts';

/**
 * Which files of this machine a settings file may name. One that is committed was written by whoever wrote the
 * repository: it must not carry the user's own files into jobs.
 */
export interface Confinement {
  /** Whether the file, followed to where its links lead, may be read. */
  allows(where: string): Promise<boolean>;
  /** What to say when it may not. */
  readonly refusal: string;
}

export const ANYWHERE: Confinement = { allows: () => Promise.resolve(true), refusal: '' };

/**
 * What the settings file `name` of the repository in `dir` may name.
 * @throws ProjectFault SETTINGS_INVALID when it is committed and is itself a link out of the repository
 */
export async function confinementOf(dir: string, name: string): Promise<Confinement> {
  if (!(await isTracked(dir, name))) return ANYWHERE;
  const confinement: Confinement = {
    allows: (where) => isInside(dir, where),
    refusal: `${name} is committed, so it may name only files of this repository`,
  };
  if (await confinement.allows(path.join(dir, name))) return confinement;
  throw new ProjectFault('SETTINGS_INVALID', `${name} is committed and leads out of this repository`, {
    next: 'Settings of your own belong in a file that git does not know.',
  });
}

/** git's own folder is not a part of it: addresses with passwords stand there. */
async function isInside(dir: string, where: string): Promise<boolean> {
  const real = await realpath(where).catch(() => path.resolve(where));
  const parts = path.relative(dir, real).split(path.sep);
  return parts[0] !== '..' && !path.isAbsolute(parts.join(path.sep)) && !parts.includes('.git');
}
