import type { Explanation } from '@updraft/gitlab-ci';
import { EXIT, UsageError } from '../command.ts';
import type { Command } from '../command.ts';
import { explanationLines } from '../render/explanation.ts';
import { problemLines } from '../render/problems.ts';
import { snakeCase } from '../render/snake-case.ts';
import { PIPELINE_OPTIONS } from './pipeline-options.ts';
import { ask, projectFor, sayUncommitted } from './project.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'Tell why a job is in the pipeline or not, and where everything in it comes from',
  usage: 'explain JOB [--ref BRANCH | --tag TAG] [options]',
  options: [
    ...PIPELINE_OPTIONS,
    { name: 'all', help: 'GitLab’s predefined variables too' },
    { name: 'json', help: 'as JSON, with everything' },
  ],
  details: `
JOB is a job’s name, the name of one instance of a parallel job ("test: [linux]"), or a hidden job (".base").

Examples:
  updraft explain deploy
  updraft explain deploy --tag v1.0.0
  updraft explain 'test: [linux, 20]' --target main --json`,
  async run(context) {
    const { output } = context;
    const [job, ...more] = context.words;
    if (job === undefined || more.length > 0) {
      throw new UsageError(
        'explain takes one JOB',
        'updraft list shows the jobs; put names with blanks in quotes.',
      );
    }
    const language = import('@updraft/gitlab-ci');
    const project = await projectFor(context);
    const { explainJob } = await language;
    const { variableOrigins } = project;
    const explanation = await ask((request) => explainJob({ ...request, variableOrigins }, job), project);
    sayUncommitted(project, context);
    const { read } = project.request.files;
    if (context.flag('json')) output.result(JSON.stringify(snakeCase(explanation), null, 2));
    else {
      const lines = explanationLines(explanation, { output, showAll: context.flag('all') });
      output.result(lines.join('\n'));
      for (const line of problemLines(worthSaying(explanation), output, read)) output.say(line);
    }
    return ['unknown', 'unreadable'].includes(explanation.verdict) ? EXIT.usage : EXIT.passed;
  },
};

/** Problems matter where they keep the job from being explained or from running. */
function worthSaying({ problems, verdict, noPipeline }: Explanation): Explanation['problems'] {
  if (verdict !== 'unreadable' && noPipeline === undefined) return [];
  return problems.filter(({ severity }) => severity === 'error');
}
