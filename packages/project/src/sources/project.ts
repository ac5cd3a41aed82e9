import type { Answer, Question } from '@updraft/gitlab-ci';
import { unavailable } from './place.ts';
import type { Place } from './place.ts';
import { byName, findSource, isSource } from './repositories.ts';

/** A file of another project, `include:project`. */
export async function projectFile(
  place: Place,
  { project, ref, file }: Question & { kind: 'project' },
): Promise<Answer> {
  if (!isProjectPath(project)) return noPath(project);
  const source = await findSource(place, { project, ref }, byName(ref));
  if (!isSource(source)) return source;
  const path = file.replace(/^\/+/, '');
  const text = await source.read(path);
  const name = `${project}@${ref ?? 'HEAD'}`;
  if (text === undefined) return unavailable(`${name} has no file ${path}`);
  return { kind: 'file', text, name: `${name}:${path}`, project: { path: project, ref: source.ref } };
}

/** The paths of another project's files. */
export async function projectTree(
  place: Place,
  { project, ref }: Question & { kind: 'project-tree' },
): Promise<Answer> {
  if (!isProjectPath(project)) return noPath(project);
  const source = await findSource(place, { project, ref }, byName(ref));
  return isSource(source) ? { kind: 'paths', paths: await source.list() } : source;
}

const noPath = (project: string): Answer =>
  unavailable(`${JSON.stringify(project)} is no path of a project: group/name`);

/** It becomes part of an address. */
export const isProjectPath = (project: string): boolean =>
  /^[\w.-]+(?:\/[\w.-]+)+$/.test(project) && !/(?:^|\/)[.-]/.test(project);
