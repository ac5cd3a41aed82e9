import type { LintRequest, Problem } from '@updraft/gitlab-ci';
import { EXIT } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { countProblems, problemLines } from '../render/problems.ts';
import { findSubject } from './lint-subject.ts';
import { PIPELINE_OPTIONS } from './pipeline-options.ts';
import { sayUncommitted } from './project.ts';

export const lint: Command = {
  name: 'lint',
  summary: 'Is the pipeline’s configuration valid?',
  usage: 'lint [FILE | -] [--json] [--schema-only]',
  options: [
    ...PIPELINE_OPTIONS,
    { name: 'schema-only', help: 'check the keywords’ shapes alone, as an editor does' },
    { name: 'json', help: 'as JSON: {valid, errors, warnings}' },
  ],
  details: `
Reads the files of the work tree, committed or not. FILE may lie anywhere; - is standard input. Whichever jobs the
commit gets, all of them are checked; the options matter for include:rules.

Examples:
  updraft lint
  updraft lint other/.gitlab-ci.yml --json
  git show main:.gitlab-ci.yml | updraft lint -`,
  async run(context) {
    const { output } = context;
    const subject = await findSubject(context);
    const { lintConfiguration } = await import('@updraft/gitlab-ci');
    const schemaOnly = context.flag('schema-only');
    const { problems } = await subject.ask((request: LintRequest) =>
      lintConfiguration({ ...request, schemaOnly }),
    );
    if (subject.project) sayUncommitted(subject.project, context);
    const isValid = problems.every((problem) => problem.severity !== 'error');
    if (context.flag('json')) output.result(JSON.stringify(report(problems), null, 2));
    else for (const line of humanReport(problems, context, subject.read)) output.result(line);
    return isValid ? EXIT.passed : EXIT.failed;
  },
};

function humanReport(
  problems: readonly Problem[],
  { output }: Context,
  read: (file: string) => string | undefined,
): readonly string[] {
  const count = countProblems(problems);
  const isValid = problems.every((problem) => problem.severity !== 'error');
  const verdict = isValid
    ? output.style('green', 'The configuration is valid')
    : output.style('red', 'The configuration is not valid');
  return [...problemLines(problems, output, read), count === '' ? verdict : `${verdict}: ${count}`];
}

const row = ({ code, message, file, line, column, includedFrom, suggestion }: Problem) => ({
  code,
  message,
  file: file ?? null,
  line: line ?? null,
  column: column ?? null,
  ...(includedFrom === undefined ? {} : { included_from: includedFrom }),
  ...(suggestion === undefined ? {} : { suggestion }),
});

const report = (problems: readonly Problem[]) => ({
  valid: problems.every((problem) => problem.severity !== 'error'),
  errors: problems.filter((problem) => problem.severity === 'error').map(row),
  warnings: problems.filter((problem) => problem.severity === 'warning').map(row),
});
