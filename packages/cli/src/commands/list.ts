import type { Job } from '@updraft/gitlab-ci';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { problemLines } from '../render/problems.ts';
import { table } from '../render/table.ts';
import { PIPELINE_OPTIONS, pipelineOf } from './project.ts';

export const list: Command = {
  name: 'list',
  summary: 'List the jobs that a commit gets',
  usage: 'list [--ref BRANCH | --tag TAG] [--json]',
  options: [...PIPELINE_OPTIONS, { name: 'json', help: 'as JSON' }],
  async run(context) {
    const { output } = context;
    const { pipeline, problems, emptyBecause } = await pipelineOf(context);
    for (const line of problemLines(problems, output)) output.say(line);
    const isWrong = problems.some((problem) => problem.severity === 'error');
    const jobs = pipeline?.jobs ?? [];
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

function jobTable(jobs: readonly Job[], bold: (text: string) => string): string {
  const head = ['STAGE', 'JOB', 'WHEN', 'NEEDS', 'ENVIRONMENT'].map(bold);
  const rows = jobs.map((job) => [
    job.stage,
    job.name,
    job.when,
    job.needs?.map((need) => need.job).join(', ') ?? '(earlier stages)',
    job.environment?.name ?? '',
  ]);
  return table([head, ...rows]);
}
