import { Fault, messageOf } from '@updraft/kit';
import { jobVariables, variableValues } from '@updraft/gitlab-ci';
import type { Job, TriggerRequest, Variable } from '@updraft/gitlab-ci';
import type { ChildPipelines, RunRequest } from '../ports.ts';
import type { SchedulerEvent } from '../scheduler/state.ts';
import type { RunRecord } from './record.ts';
import type { PipelineRun } from './run.ts';

/** As GitLab: a child pipeline may have children, those may not. */
const MAX_DEPTH = 2;

export interface Bridge {
  readonly job: Job;
  readonly trigger: TriggerRequest;
  readonly run: RunRecord;
  readonly request: RunRequest;
  /** How many parents this run has. */
  readonly depth: number;
  readonly children: ChildPipelines;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Makes the child's run and starts it. */
  readonly launch: (request: RunRequest) => PipelineRun;
  readonly artifact: (job: string, path: string) => Promise<string | undefined>;
}

/** Starts the pipeline that a job triggers, and waits for it when its strategy says so. Never rejects. */
export async function runBridge(bridge: Bridge, known: PipelineRun | undefined): Promise<SchedulerEvent> {
  const name = bridge.job.name;
  try {
    const child = known ?? (await launchChild(bridge));
    const { id, jobs } = child.record;
    bridge.log(
      known ? `Waits for the pipeline ${id} again` : `Started the pipeline ${id}: ${jobs.length} jobs`,
    );
    if (bridge.trigger.strategy === undefined) return { type: 'passed', job: name };
    return await followed(bridge, child);
  } catch (error) {
    if (bridge.signal.aborted) return { type: 'canceled', job: name };
    bridge.log(`ERROR: ${messageOf(error)}`);
    if (error instanceof Fault && error.next !== undefined) bridge.log(error.next);
    const reason = messageOf(error).split('\n')[0] ?? '';
    return { type: 'failed', job: name, why: 'runner_system_failure', exitCode: undefined, reason };
  }
}

async function launchChild(bridge: Bridge): Promise<PipelineRun> {
  const { target } = bridge.trigger;
  if (target.kind === 'project') {
    throw new Fault(
      'OTHER_PROJECT',
      `starts a pipeline of another project (${target.project}), which this machine does not have`,
      { next: 'Run that project’s pipeline in its own clone; allow_failure lets this one go on.' },
    );
  }
  if (bridge.depth >= MAX_DEPTH) {
    throw new Fault('CHILD_TOO_DEEP', `child pipelines may nest ${MAX_DEPTH} deep, this would be one more`);
  }
  const request = await bridge.children.prepare({
    parent: bridge.request,
    includes: target.includes,
    variables: forwarded(bridge),
    artifact: bridge.artifact,
    signal: bridge.signal,
  });
  bridge.signal.throwIfAborted();
  return bridge.launch(request);
}

/** `strategy: depend` and `mirror`. */
async function followed({ job, trigger, signal }: Bridge, child: PipelineRun): Promise<SchedulerEvent> {
  const cancel = () => child.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const { id, status } = await child.finished;
  signal.removeEventListener('abort', cancel);
  const { name } = job;
  if (status === 'success') return { type: 'passed', job: name };
  if (signal.aborted || (status === 'canceled' && trigger.strategy === 'mirror')) {
    return { type: 'canceled', job: name };
  }
  if (status === 'manual') {
    return { type: 'mirrored', job: name, status, reason: `its pipeline ${id} waits for a manual job` };
  }
  const reason = `its pipeline ${id} ${status === 'failed' ? 'failed' : `was ${status}`}`;
  if (status === 'skipped' && trigger.strategy === 'mirror') {
    return { type: 'mirrored', job: name, status, reason };
  }
  return { type: 'failed', job: name, why: 'script_failure', exitCode: undefined, reason };
}

const FORWARDED_YAML: readonly Variable['source'][] = ['job', 'rule', 'matrix', 'workflow', 'global'];

/** What `trigger:forward` lets through, expanded with everything the job knows: the child cannot look it up any more. */
function forwarded({ job, trigger, request, run }: Bridge): readonly Variable[] {
  const isForwarded = ({ source }: Variable): boolean =>
    source === 'pipeline' ? trigger.forwardPipelineVariables : FORWARDED_YAML.includes(source);
  const resolved = bridgeVariables(job, request, run.id);
  const wanted = new Map<string, Variable>();
  for (const variable of [...request.pipeline.variables, ...job.variables]) {
    const isYaml = variable.source !== 'pipeline';
    if (isForwarded(variable) && (!isYaml || trigger.forwardYamlVariables))
      wanted.set(variable.key, variable);
  }
  return resolved
    .filter(({ key }) => wanted.has(key))
    .map((variable) => ({ ...variable, raw: true, source: 'pipeline' }));
}

export function bridgeVariables(job: Job, request: RunRequest, runId: number): readonly Variable[] {
  const own = { CI_PIPELINE_ID: String(runId), CI_PIPELINE_IID: String(runId) };
  const predefined = Object.entries(own).map(([key, value]): Variable => ({
    key,
    value,
    raw: true,
    source: 'predefined',
  }));
  return jobVariables(request.pipeline, job, [...request.projectVariables, ...predefined]);
}

/** Names and values, for texts that are expanded before a job has an environment. */
export const bridgeValues = (
  job: Job,
  request: RunRequest,
  runId: number,
): Readonly<Record<string, string>> => variableValues(bridgeVariables(job, request, runId));
