import type { Job } from '@updraft/gitlab-ci';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { problemLines } from '../render/problems.ts';
import { visibleText } from '../render/excerpt.ts';
import { table } from '../render/table.ts';
import { PIPELINE_OPTIONS } from './pipeline-options.ts';
import { ask, projectFor, sayUncommitted } from './project.ts';

export const list: Command = {
  name: 'list',
  summary: 'List the jobs that a commit gets',
  usage: 'list [--ref BRANCH | --tag TAG] [options]',
  operands: false,
  options: [...PIPELINE_OPTIONS, { name: 'json', help: 'as JSON: [{name, stage, when, …}]' }],
  details: `
Examples:
  updraft list                        what a push of the branch at hand would run
  updraft list --tag v1.0.0           what this tag would
  updraft list --target main          what a merge request into main would
  updraft list --source schedule --variable NIGHTLY=1
updraft explain JOB tells why a job is in it or not.`,
  async run(context) {
    const { output } = context;
    const language = import('@updraft/gitlab-ci');
    const project = await projectFor(context);
    const { createPipeline } = await language;
    const { pipeline, problems, emptyBecause } = await ask(createPipeline, project);
    const { read } = project.request.files;
    for (const line of problemLines(problems, output, read)) output.say(line);
    const isWrong = problems.some((problem) => problem.severity === 'error');
    const jobs = pipeline?.jobs ?? [];
    sayUncommitted(project, context);
    if (context.flag('json')) output.result(JSON.stringify(jobs.map(jobRow), null, 2));
    else if (jobs.length > 0) output.result(jobTable(jobs, (text) => output.style('bold', text)));
    else if (!isWrong) output.say(`No pipeline: ${emptyBecause ?? 'there are no jobs'}`);
    return isWrong ? EXIT.usage : EXIT.passed;
  },
};

const jobRow = (job: Job) => ({
  name: job.name,
  stage: job.stage,
  when: job.when,
  allow_failure:
    typeof job.allowFailure === 'boolean' ? job.allowFailure : { exit_codes: job.allowFailure.exitCodes },
  needs: job.needs?.map((need) => need.job) ?? null,
  environment: job.environment?.name ?? null,
});

const HEAD = ['STAGE', 'JOB', 'WHEN', 'NEEDS', 'ENVIRONMENT'];

function jobTable(jobs: readonly Job[], bold: (text: string) => string): string {
  const rows = jobs.map((job, index) =>
    [
      // A stage is named once.
      job.stage === jobs[index - 1]?.stage ? '' : job.stage,
      job.name,
      whenText(job),
      needsText(job),
      job.environment?.name ?? '',
    ].map(visibleText),
  );
  // A column that says nothing is left out.
  const used = HEAD.map((_, column) => column < 2 || rows.some((row) => row[column] !== ''));
  return table([HEAD.map(bold), ...rows].map((row) => row.filter((_, column) => used[column])));
}

function whenText({ when, allowFailure, startInSeconds }: Job): string {
  const start = startInSeconds === undefined ? when : `after ${startInSeconds} s`;
  if (allowFailure === false)
    return when === 'manual' ? 'manual, blocks' : start === 'on_success' ? '' : start;
  if (when === 'manual') return 'manual';
  const codes = allowFailure === true ? '' : ` with ${allowFailure.exitCodes.join(', ')}`;
  return `${start === 'on_success' ? '' : `${start}, `}may fail${codes}`;
}

const MAX_NEEDS = 3;

function needsText({ needs }: Job): string {
  if (!needs) return '';
  if (needs.length === 0) return 'nothing';
  const names = needs.slice(0, MAX_NEEDS).map((need) => need.job);
  const rest = needs.length - names.length;
  return rest > 0 ? `${names.join(', ')} and ${rest} more` : names.join(', ');
}
