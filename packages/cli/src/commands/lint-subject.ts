import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { codeOf } from '@updraft/kit';
import type { LintRequest, LintResult } from '@updraft/gitlab-ci';
import type { Project } from '@updraft/project';
import { UsageError } from '../command.ts';
import type { Context } from '../command.ts';
import { ask, projectFor } from './project.ts';

/** What is linted: a project's configuration, or one text wherever it comes from. */
export interface Subject {
  /** undefined: outside of every repository. */
  readonly project: Project | undefined;
  ask(lint: (request: LintRequest) => LintResult): Promise<LintResult>;
  /** For the lines of problems. */
  read(file: string): string | undefined;
}

const STDIN = '-';

/** @throws UsageError when there is no such file */
export async function findSubject(context: Context): Promise<Subject> {
  const [word] = context.words;
  if (context.words.length > 1) throw new UsageError('lint takes one FILE', 'See: updraft lint --help');
  if (word === undefined) return ofProject(await projectFor(context), {});
  if (word === STDIN) {
    const text = await textOf(process.stdin);
    const project = await projectAt(context, context.cwd);
    return project ? ofProject(project, { name: STDIN, text }) : ofText(STDIN, text);
  }
  const file = path.resolve(context.cwd, word);
  const text = await contents(file, word);
  const project = await projectAt(context, path.dirname(file));
  if (!project) return ofText(word, text);
  return ofProject(project, { name: path.relative(project.dir, await realpath(file)), text });
}

async function contents(file: string, word: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${codeOf(error)})`;
    throw new UsageError(`${word}: ${why}`, 'Name the file of the configuration, or - for standard input.');
  }
}

/** undefined: the folder is in no repository with a commit. */
async function projectAt(context: Context, dir: string): Promise<Project | undefined> {
  try {
    return await projectFor(context, dir);
  } catch (error) {
    if (['NOT_A_REPOSITORY', 'NO_COMMITS'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** The project with one text instead of its file of this name; it need not be committed or even be in it. */
function ofProject(project: Project, given: { readonly name?: string; readonly text?: string }): Subject {
  const { files } = project.request;
  const { name, text } = given;
  const read = (file: string) => (file === name ? text : files.read(file));
  const request = name === undefined ? {} : { configPath: name, files: { read, list: () => files.list() } };
  return { project, read, ask: (lint) => ask(lint, project, request) };
}

/** Nothing is known but the text: what it includes is missing. */
function ofText(name: string, text: string): Subject {
  const read = (file: string) => (file === name ? text : undefined);
  const request = { configPath: name, files: { read, list: () => [name] } };
  return { project: undefined, read, ask: (lint) => Promise.resolve(lint(request)) };
}
