import type { Problem } from '@updraft/gitlab-ci';
import { findRepository, readCommit, readWorkTree } from '@updraft/git';
import path from 'node:path';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { problemLines } from '../render/problems.ts';
import { PIPELINE_OPTIONS } from './project.ts';

export const lint: Command = {
  name: 'lint',
  summary: 'Is the pipeline’s configuration valid?',
  usage: 'lint [FILE] [--json] [--schema-only]',
  options: [
    ...PIPELINE_OPTIONS,
    { name: 'schema-only', help: 'check the keywords’ shapes alone, as an editor does' },
    { name: 'json', help: 'as JSON: {valid, errors, warnings}' },
  ],
  details: 'Reads the files of the work tree, committed or not.',
  async run(context) {
    const { output } = context;
    const dir = await findRepository(context.cwd);
    const files = await readWorkTree(dir);
    const [file] = context.words;
    const facts = await readCommit(dir, {});
    const { lintConfiguration } = await import('@updraft/gitlab-ci');
    const { problems } = lintConfiguration({
      facts,
      files,
      ...(file === undefined ? {} : { configPath: path.relative(dir, path.resolve(context.cwd, file)) }),
      schemaOnly: context.flag('schema-only'),
    });
    const errors = problems.filter((problem) => problem.severity === 'error');
    if (context.flag('json')) output.result(JSON.stringify(report(problems), null, 2));
    else for (const line of problemLines(problems, output, (name) => files.read(name))) output.result(line);
    if (!context.flag('json') && errors.length === 0) output.result('The configuration is valid');
    return errors.length === 0 ? EXIT.passed : EXIT.failed;
  },
};

const row = ({ code, message, file, line, column, suggestion }: Problem) => ({
  code,
  message,
  file: file ?? null,
  line: line ?? null,
  column: column ?? null,
  ...(suggestion === undefined ? {} : { suggestion }),
});

const report = (problems: readonly Problem[]) => ({
  valid: problems.every((problem) => problem.severity !== 'error'),
  errors: problems.filter((problem) => problem.severity === 'error').map(row),
  warnings: problems.filter((problem) => problem.severity === 'warning').map(row),
});
