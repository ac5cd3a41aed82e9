import type { CommitFacts } from '@updraft/gitlab-ci';
import type { YamlFile } from '../yaml-file.ts';
import type { Entry } from '../yaml-tree.ts';

/**
 * The parts of a user's file that are meant for this project, weakest first: `global`, then every `group` that holds
 * it, then the `project` itself. Groups and projects are named with their host (`gitlab.com/group/book.git`) or
 * without.
 */
export function sectionsFor(
  entries: readonly Entry[],
  facts: CommitFacts,
  file: YamlFile,
): readonly (readonly Entry[])[] {
  const levels: (readonly Entry[])[] = [];
  for (const entry of entries) {
    if (!['global', 'group', 'project'].includes(entry.key)) {
      file.wrong(entry.line, `${JSON.stringify(entry.key)} is none of global, group and project`);
    }
  }
  const section = (name: string) => entries.filter((entry) => entry.key === name);
  for (const { value, key } of section('global')) levels.push(mapOf(value, key, file));
  for (const { value, key } of section('group')) {
    const groups = mapOf(value, key, file).filter((group) => isAbove(group.key, facts));
    // The nearest group is the strongest.
    for (const group of groups.toSorted((a, b) => partsOf(a.key).length - partsOf(b.key).length)) {
      levels.push(mapOf(group.value, group.key, file));
    }
  }
  for (const { value, key } of section('project')) {
    for (const project of mapOf(value, key, file)) {
      if (isSame(project.key, facts)) levels.push(mapOf(project.value, project.key, file));
    }
  }
  return levels;
}

function mapOf({ entries, text, line }: Entry['value'], name: string, file: YamlFile): readonly Entry[] {
  if (!entries && text !== '') file.wrong(line, `${name} must be a map`);
  return entries ?? [];
}

/** `host:group/book.git` is `host/group/book`. */
const partsOf = (name: string): readonly string[] =>
  name
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^git@/, '')
    .replace(/:(?!\d+\/)/, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .toLowerCase()
    .split('/')
    .filter(Boolean);

/** The ways to name a project: with its host and without. */
function namesOf({ projectPath, projectUrl }: CommitFacts): readonly (readonly string[])[] {
  return projectUrl === undefined ? [partsOf(projectPath)] : [partsOf(projectUrl), partsOf(projectPath)];
}

const isSame = (name: string, facts: CommitFacts): boolean =>
  namesOf(facts).some((parts) => parts.join('/') === partsOf(name).join('/'));

const isAbove = (name: string, facts: CommitFacts): boolean => {
  const group = partsOf(name);
  return namesOf(facts).some(
    (parts) =>
      group.length > 0 && group.length < parts.length && group.every((part, index) => part === parts[index]),
  );
};
