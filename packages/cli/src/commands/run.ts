import { UsageError, keyValues } from '../command.ts';
import { fetchingEnvironment } from '../fetching.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { conclude, watchRun } from './watch.ts';

const EXECUTORS = ['runc', 'host', 'docker', 'kubernetes'] as const;

export const run: Command = {
  name: 'run',
  summary: 'Run the pipeline of a commit, or single jobs and what they need',
  usage: 'run [JOB...] [--ref BRANCH | --tag TAG] [options]',
  options: [
    {
      name: 'ref',
      value: 'BRANCH',
      help: 'run as GitLab would for this branch (default: the one checked out)',
    },
    { name: 'tag', value: 'TAG', help: 'run as GitLab would for this tag' },
    { name: 'source', value: 'SOURCE', help: 'CI_PIPELINE_SOURCE (default: push)' },
    { name: 'target', value: 'BRANCH', help: 'as for a merge request into this branch' },
    { name: 'committed', help: 'run the commit alone, without what is not committed yet' },
    { name: 'compare-to', value: 'REF', help: 'what rules:changes compares with' },
    { name: 'config', value: 'FILE', help: 'the configuration (default: .gitlab-ci.yml)' },
    { name: 'variable', value: 'K=V', repeated: true, help: 'set a pipeline variable' },
    { name: 'input', value: 'K=V', repeated: true, help: 'an input that the configuration declares' },
    { name: 'no-needs', help: 'run only the named jobs; what they need comes from the last run that has it' },
    { name: 'no-auto-cancel', help: 'let earlier runs of this ref for other commits go on' },
    { name: 'executor', value: 'KIND', help: `where jobs run: ${EXECUTORS.join(', ')} (default: runc)` },
    { name: 'logs', help: 'print every job’s log as it grows' },
    { name: 'json', help: 'print the jobs as JSON when it is over' },
  ],
  details: `
What is in the work tree is run when the ref is the one checked out, also what is not committed yet. The jobs work on
copies: your files stay as they are. A job named on the command line is started even when it is manual, after what it
needs; artifacts of jobs that are not part of the run come from the last run that has them.
The name of a parallel job stands for all its instances.
A pipeline that a manual job blocks ends with exit code 0: updraft play JOB goes on with it.`,
  run: runPipeline,
};

async function runPipeline(context: Context): Promise<number> {
  const ref = context.text('ref');
  const tag = context.text('tag');
  if (ref !== undefined && tag !== undefined) {
    throw new UsageError('--ref and --tag exclude each other', 'A pipeline is for a branch or for a tag.');
  }
  const executor = executorOf(context.text('executor'));
  const client = await connect(context.env, context.output);
  const request = {
    projectDir: context.cwd,
    variables: keyValues(context.texts('variable'), 'variable'),
    inputs: keyValues(context.texts('input'), 'input'),
    environment: fetchingEnvironment(context.env),
    jobs: context.words,
    attached: true,
    ...(context.flag('committed') ? { committed: true } : {}),
    ...(context.flag('no-needs') ? { needs: false } : {}),
    ...(context.flag('no-auto-cancel') ? { autoCancel: false } : {}),
    ...textOptions(context, { ref: 'ref', tag: 'tag', source: 'source', target: 'target' }),
    ...textOptions(context, { compareTo: 'compare-to', configPath: 'config' }),
    ...(executor === undefined ? {} : { executor }),
  };
  return conclude(client, context, await watchRun(client, context, client.stream('POST /v1/runs', request)));
}

/** Options that were given, by the names that the daemon knows them by. */
function textOptions<K extends string>(
  context: Context,
  names: Readonly<Record<K, string>>,
): Partial<Record<K, string>> {
  const entries = Object.entries<string>(names).map(([key, option]) => [key, context.text(option)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Partial<Record<K, string>>;
}

function executorOf(text: string | undefined): (typeof EXECUTORS)[number] | undefined {
  if (text === undefined) return undefined;
  const executor = EXECUTORS.find((candidate) => candidate === text);
  if (executor) return executor;
  throw new UsageError(`--executor ${text}: unknown`, `Choose one of ${EXECUTORS.join(', ')}.`);
}
