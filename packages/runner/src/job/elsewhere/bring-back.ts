import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@updraft/kit';
import { expandAsRunner } from '@updraft/gitlab-ci';
import type { Job } from '@updraft/gitlab-ci';
import type { Outcome } from '../outcome.ts';
import type { ShellPlace } from '../shell.ts';
import type { Workspace } from '../workspace.ts';

/**
 * What a job's files are, once it is over, for those who select among them. What a job leaves is part of its success; one
 * that has failed stays what it is when its pod has nothing to give any more.
 */
export async function filesLeft(place: ShellPlace, job: Job, outcome: Outcome): Promise<Workspace> {
  const { pod, workspace, projectDir, env, log } = place;
  if (!pod.files) return workspace;
  if (outcome.kind === 'couldNotRun') return broughtBack(place, []);
  const wanted = wantedPaths(job, (text) => expandAsRunner(text, env), projectDir);
  return broughtBack(place, wanted).catch((error: unknown) => {
    if (outcome.kind === 'passed') throw error;
    log.warning(`its files could not be brought back: ${messageOf(error)}`);
    return broughtBack(place, []);
  });
}

/** A new folder each time: what a pod elsewhere has written must not follow links that came before it. */
export async function broughtBack(place: ShellPlace, paths: readonly string[]): Promise<Workspace> {
  const { pod, workspace, projectDir } = place;
  const unique = randomBytes(4).toString('hex');
  const dir = path.join(path.dirname(workspace.temporaryDir), `.brought-back-${unique}`);
  await mkdir(dir, { recursive: true });
  await pod.files?.get(projectDir, paths, dir);
  return { ...workspace, dir };
}

/** The least folders and files that hold all which artifacts, reports and caches may select; `.`: everything. */
export function wantedPaths(
  { artifacts, caches }: Pick<Job, 'artifacts' | 'caches'>,
  expand: (text: string) => string,
  projectDir: string,
): readonly string[] {
  if (artifacts?.untracked || caches.some(({ untracked }) => untracked)) return ['.'];
  const patterns = [
    ...(artifacts?.paths ?? []),
    ...Object.values(artifacts?.reports ?? {}).flat(),
    ...caches.flatMap(({ paths }) => paths),
  ];
  const found = new Set(patterns.flatMap((pattern) => fixedPart(expand(pattern), projectDir) ?? []));
  if (found.has('.')) return ['.'];
  const all = [...found];
  return all.filter((one) => !all.some((other) => one.startsWith(`${other}/`))).toSorted();
}

/** Up to the first part that is a pattern. undefined: it leads out of the project's folder. */
function fixedPart(pattern: string, projectDir: string): string | undefined {
  const relative = path.posix.relative(projectDir, path.posix.resolve(projectDir, pattern));
  if (pattern === '' || relative === '..' || relative.startsWith('../')) return undefined;
  const parts = relative.split('/');
  const first = parts.findIndex((part) => /[*?[\]{}!+@()\\]/.test(part));
  return (first < 0 ? parts : parts.slice(0, first)).join('/') || '.';
}
