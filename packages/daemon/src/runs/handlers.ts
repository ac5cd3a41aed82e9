import type { RunEvent } from '@updraft/control';
import type { Variable } from '@updraft/gitlab-ci';
import type { PipelineRun, RunRecord } from '@updraft/runner';
import type { Platform } from '../platform.ts';
import { RequestError } from '../server/router.ts';
import type { Handlers } from '../server/router.ts';
import { noticeRemoved } from './environments.ts';
import { prepareRun } from './start.ts';
import type { PrepareOptions, Prepared } from './start.ts';
import { topOf, watchRun } from './stream.ts';
import { runView } from './views.ts';

type RunHandlers = Pick<
  Handlers,
  | 'POST /v1/runs'
  | 'GET /v1/runs'
  | 'GET /v1/runs/{id}'
  | 'POST /v1/runs/{id}/play'
  | 'POST /v1/runs/{id}/retry'
  | 'POST /v1/runs/{id}/cancel'
  | 'GET /v1/runs/{id}/jobs/{job}/log'
  | 'POST /v1/runs/{id}/jobs/{job}/artifacts'
>;

interface Client {
  readonly attached: boolean;
  readonly signal: AbortSignal;
}

export function runHandlers(platform: Platform): RunHandlers {
  const { runner } = platform;
  return {
    'POST /v1/runs': ({ body, signal }) =>
      startPrepared(platform, () => prepareRun(body, prepareOptions(platform)), {
        attached: body.attached,
        signal,
      }),
    'GET /v1/runs': async () => runner.runs.list().map(runView),
    'GET /v1/runs/{id}': async ({ path: { id } }) => runView(knownRun(platform, id)),
    'POST /v1/runs/{id}/play': ({ body, path: { id }, signal }) => {
      const variables = Object.entries(body.variables).map(([key, value]): Variable => ({
        key,
        value,
        source: 'pipeline',
      }));
      const act = (run: PipelineRun) => run.play(body.jobs, variables);
      const record = requireStartable(requireJobs(knownRun(platform, id), body.jobs), body.jobs);
      return goOn(platform, record, act, { ...body, signal });
    },
    'POST /v1/runs/{id}/retry': ({ body, path: { id }, signal }) => {
      const record = requireFinished(requireJobs(knownRun(platform, id), body.jobs), body.jobs);
      return goOn(platform, record, (run) => run.retry(body.jobs), { ...body, signal });
    },
    'POST /v1/runs/{id}/cancel': async ({ body, path: { id } }) => {
      const record = requireJobs(knownRun(platform, id), body?.jobs ?? []);
      const active = runner.active().find((each) => each.id === record.id);
      if (!active) throw new RequestError(409, 'RUN_OVER', `run ${id} is over: ${record.status}`);
      active.cancel(body?.jobs);
      if (body?.force) await active.kill();
      return {};
    },
    'GET /v1/runs/{id}/jobs/{job}/log': async ({ path: { id, job = '' } }) => {
      const text = await runner.runs.readLog(knownRun(platform, id).id, job);
      if (text === undefined)
        throw new RequestError(404, 'NO_LOG', `${job} has no log in run ${id}: it did not run`);
      return { text };
    },
    'POST /v1/runs/{id}/jobs/{job}/artifacts': async ({ body, path: { id, job = '' } }) => ({
      files: await runner.runs.artifacts(knownRun(platform, id).id, job, body?.unpackTo),
    }),
  };
}

export const prepareOptions = ({ clock, choice, clusters, config }: Platform): PrepareOptions => ({
  now: clock.now(),
  home: config.home,
  offline: config.offline,
  choice,
  clusters,
});

export async function* startPrepared(
  platform: Platform,
  prepare: () => Promise<Prepared>,
  client: Client,
): AsyncIterable<RunEvent> {
  const { request, problems } = await prepare();
  const run = platform.runner.create(request);
  noticeRemoved(platform, run);
  yield* watchRun(run, { act: () => run.start(), problems, progress: platform.progress, ...client });
}

/** Tells a run what to do now; one that is over is opened again first. */
async function* goOn(
  platform: Platform,
  { id }: RunRecord,
  act: (run: PipelineRun) => void,
  client: Client,
): AsyncIterable<RunEvent> {
  const { runner, progress } = platform;
  const isActive = runner.active().some((each) => each.id === id);
  const run = runner.open(id);
  if (!run) {
    throw new RequestError(409, 'RUN_FORGOTTEN', `nothing is kept of run ${id} but its record`, {
      next: 'Run the pipeline again.',
    });
  }
  // Whoever has started a run that is still going on ends it; others only look on.
  const attached = client.attached && !isActive;
  const top = topOf(run);
  noticeRemoved(platform, top);
  // What is opened may be a child: the first run that is heard of is the one at the top.
  yield { type: 'run', run: runView(top.record) };
  yield* watchRun(top, { act: () => act(run), problems: [], progress, signal: client.signal, attached });
}

function knownRun({ runner }: Platform, id: string | undefined): RunRecord {
  const record = runner.runs.get(Number(id));
  if (record) return record;
  throw new RequestError(404, 'RUN_UNKNOWN', `there is no run ${id}`, { next: 'updraft runs lists them.' });
}

function requireJobs(record: RunRecord, jobs: readonly string[]): RunRecord {
  const names = record.jobs.map((job) => job.name);
  const unknown = jobs.find((job) => !names.includes(job));
  if (unknown === undefined) return record;
  throw new RequestError(404, 'JOB_UNKNOWN', `run ${record.id} has no job ${unknown}`, {
    next: `Its jobs: ${names.join(', ')}.`,
  });
}

function requireStartable(record: RunRecord, jobs: readonly string[]): RunRecord {
  const isStartable = (job: RunRecord['jobs'][number]): boolean =>
    ['manual', 'scheduled', 'created'].includes(job.status) || job.attempt > 0;
  const other = record.jobs.find((job) => jobs.includes(job.name) && !isStartable(job));
  if (!other) return record;
  const why = other.reason === undefined ? '' : `: ${other.reason}`;
  throw new RequestError(409, 'JOB_NOT_STARTABLE', `${other.name} is ${other.status}${why}`, {
    next: 'updraft retry runs again whatever did not pass, and then what waits for it.',
  });
}

function requireFinished(record: RunRecord, jobs: readonly string[]): RunRecord {
  const over = ['success', 'failed', 'canceled', 'skipped'];
  const going = record.jobs.find((job) => jobs.includes(job.name) && !over.includes(job.status));
  if (!going) return record;
  const next = going.status === 'manual' ? { next: `updraft play ${going.name} starts it.` } : {};
  throw new RequestError(
    409,
    'JOB_NOT_OVER',
    `${going.name} is ${going.status}: there is nothing to run again`,
    next,
  );
}
