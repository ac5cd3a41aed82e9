import path from 'node:path';
import type { StartRun } from '@updraft/control';
import { UsageError } from '../command.ts';
import { fetchingEnvironment } from '../fetching.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { PIPELINE_OPTIONS, selectionOf } from './pipeline-options.ts';
import { conclude, watchRun } from './watch.ts';

const EXECUTORS = ['runc', 'host', 'docker', 'kubernetes'] as const;

export const run: Command = {
  name: 'run',
  summary: 'Run the pipeline of a commit, or single jobs and what they need',
  usage: 'run [JOB...] [--ref BRANCH | --tag TAG] [options]',
  options: [
    ...PIPELINE_OPTIONS,
    { name: 'no-needs', help: 'run only the named jobs; what they need comes from the last run that has it' },
    { name: 'no-auto-cancel', help: 'let earlier runs of this ref for other commits go on' },
    { name: 'executor', value: 'KIND', help: `where jobs run: ${EXECUTORS.join(', ')} (default: runc)` },
    {
      name: 'kubeconfig',
      value: 'FILE',
      help: 'deploy to the cluster of this file instead of the embedded one',
    },
    { name: 'context', value: 'NAME', help: 'of the kubeconfig (default: its current one)' },
    { name: 'logs', help: 'print every job’s log as it grows' },
    { name: 'json', help: 'print the jobs as JSON when it is over' },
  ],
  details: `
What is in the work tree is run when the ref is the one checked out, also what is not committed yet. The jobs work on
copies: your files stay as they are. A job named on the command line is started even when it is manual, after what it
needs; artifacts of jobs that are not part of the run come from the last run that has them.
The name of a parallel job stands for all its instances.
With --kubeconfig the same playbooks deploy to that cluster: jobs get its address and credentials. It cannot reach this
machine's registry and has a domain of its own, so give --variable KUBE_DOMAIN=HOST and --variable CI_REGISTRY=HOST (or
have them in .updraft/variables.yml), and sign in to the registry with updraft image login. Variables that describe a
cluster (CLUSTER_DOMAIN and its credentials) do the same without a kubeconfig.
With --executor kubernetes the jobs are pods there too: the cluster pulls their images itself, so images that are built
or stood in for here (kaniko, hadolint and trivy among them) have to be real ones. Inside of a cluster no kubeconfig is
needed. Jobs that name no image run on this machine.
A pipeline that a manual job blocks ends with exit code 0: updraft play JOB goes on with it.`,
  run: runPipeline,
};

async function runPipeline(context: Context): Promise<number> {
  const selection = selectionOf(context);
  const executor = executorOf(context.text('executor'));
  const client = connect(context.env, context.output);
  const request = {
    projectDir: context.cwd,
    ...selection,
    environment: fetchingEnvironment(context.env),
    jobs: context.words,
    attached: true,
    ...(context.flag('no-needs') ? { needs: false } : {}),
    ...(context.flag('no-auto-cancel') ? { autoCancel: false } : {}),
    ...(executor === undefined ? {} : { executor }),
    ...clusterOf(context),
  };
  return conclude(client, context, await watchRun(client, context, client.stream('POST /v1/runs', request)));
}

/** A kubeconfig's plugins are run as the user would run them, with all of the user's environment. */
function clusterOf(context: Context): Pick<StartRun, 'kubeconfig' | 'context' | 'clusterEnvironment'> {
  const kubeconfig = context.text('kubeconfig');
  const name = context.text('context');
  const given = Object.entries(context.env).filter((each): each is [string, string] => each[1] !== undefined);
  return {
    ...(kubeconfig === undefined
      ? {}
      : { kubeconfig: path.resolve(context.cwd, kubeconfig), clusterEnvironment: Object.fromEntries(given) }),
    ...(name === undefined ? {} : { context: name }),
  };
}

function executorOf(text: string | undefined): (typeof EXECUTORS)[number] | undefined {
  if (text === undefined) return undefined;
  const executor = EXECUTORS.find((candidate) => candidate === text);
  if (executor) return executor;
  throw new UsageError(`--executor ${text}: unknown`, `Choose one of ${EXECUTORS.join(', ')}.`);
}
