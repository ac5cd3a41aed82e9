import { lstat, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { CheckedOut, CheckoutOptions } from './checkout.ts';
import { GitFault } from './faults.ts';
import { git, tryGit } from './git.ts';
import { commonFolder, findRepository, splitZero } from './repository.ts';

export interface SubmoduleOptions extends CheckoutOptions {
  /** Handed in, because the two need each other. */
  readonly checkout: (
    dir: string,
    sha: string,
    target: string,
    options: CheckoutOptions,
  ) => Promise<CheckedOut>;
}

interface Submodule {
  /** Where the commit has it. */
  readonly path: string;
  readonly sha: string;
  /** What `.gitmodules` calls it; undefined when it says nothing of this path. */
  readonly name: string | undefined;
}

/**
 * Puts the submodules of a checked-out commit in their places, from what the user's clone has of them. No remote is
 * asked.
 * @throws GitFault SUBMODULE_MISSING when the clone does not have one, or not the commit that is asked for
 */
export async function checkoutSubmodules(
  root: string,
  target: string,
  options: SubmoduleOptions,
): Promise<readonly string[]> {
  const { submodules = 'none', submoduleDepth, checkout } = options;
  if (submodules === 'none') return [];
  const notes: string[] = [];
  for (const submodule of await readSubmodules(target)) {
    if (submodule.name === undefined) {
      notes.push(`${submodule.path} is a submodule without an entry in .gitmodules: it stays empty`);
      continue;
    }
    const source = await findSource(root, submodule);
    const place = await emptyPlace(target, submodule.path);
    const inner: CheckoutOptions = {
      ...(submoduleDepth === undefined ? {} : { depth: submoduleDepth, submoduleDepth }),
      submodules: submodules === 'recursive' ? 'recursive' : 'none',
      ...(options.skipLfs === undefined ? {} : { skipLfs: options.skipLfs }),
    };
    try {
      const done = await checkout(source, submodule.sha, place, inner);
      notes.push(...done.notes.map((note) => `${submodule.path}: ${note}`));
    } catch (error) {
      if (!(error instanceof GitFault) || error.code !== 'UNKNOWN_REF') throw error;
      throw missing(submodule, `does not have the commit ${submodule.sha.slice(0, 8)}`);
    }
  }
  return notes;
}

async function readSubmodules(target: string): Promise<readonly Submodule[]> {
  const staged = splitZero(await git(target, ['ls-files', '-z', '--stage']));
  const links = staged.flatMap((line) => {
    const found = /^160000 ([0-9a-f]+) \d\t([^]*)$/.exec(line);
    return found ? [{ sha: found[1] ?? '', path: found[2] ?? '' }] : [];
  });
  if (links.length === 0) return [];
  const names = await readNames(target);
  return links.map((link) => ({ ...link, name: names.get(link.path) }));
}

/** Names by path. A name with `..` in it would lead out of the folder where git keeps submodules. */
async function readNames(target: string): Promise<ReadonlyMap<string, string>> {
  const args = [
    'config',
    '--blob',
    'HEAD:.gitmodules',
    '-z',
    '--get-regexp',
    String.raw`^submodule\..*\.path$`,
  ];
  const listed = await tryGit(target, args);
  const entries = splitZero(listed.stdout).flatMap((entry) => {
    const [, name = '', where = ''] = /^submodule\.([^]*)\.path\n([^]*)$/.exec(entry) ?? [];
    return name === '' || name.split(/[/\\]/).includes('..')
      ? []
      : [[where.replace(/\/+$/, ''), name] as const];
  });
  return new Map(entries);
}

async function findSource(root: string, submodule: Submodule): Promise<string> {
  const inWorkTree = path.join(root, submodule.path);
  const kept = path.join(await commonFolder(root), 'modules', submodule.name ?? '');
  for (const place of [kept, inWorkTree]) {
    const found = await findRepository(place).catch(() => undefined);
    // Else it is the outer repository: the submodule's folder is there, but empty.
    if (found !== undefined && found === path.resolve(place)) return place;
  }
  throw missing(submodule, 'is not there');
}

const missing = ({ path: where }: Submodule, why: string): GitFault =>
  new GitFault('SUBMODULE_MISSING', `the job asks for submodules, but the clone of ${where} ${why}`, {
    next: 'git submodule update --init --recursive brings them; GIT_SUBMODULE_STRATEGY: none does without.',
  });

/** The checked-out commit has an empty folder there; anything else is made one. */
async function emptyPlace(target: string, where: string): Promise<string> {
  const place = path.join(target, where);
  const status = await lstat(place).catch(() => undefined);
  if (status && !status.isDirectory()) await rm(place);
  await mkdir(place, { recursive: true });
  return place;
}
