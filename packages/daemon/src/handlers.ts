import type { Routes, RunEvent } from '@updraft/control';
import type { RunRecord } from '@updraft/runner';
import { imageHandlers } from './images/handlers.ts';
import type { Platform } from './platform.ts';
import { findEnvironment, noticeRemoved, prepareRollback, prepareStop } from './runs/environments.ts';
import { prepareRun } from './runs/start.ts';
import type { Prepared } from './runs/start.ts';
import { streamRun } from './runs/stream.ts';
import { environmentView, runView } from './runs/views.ts';
import { RequestError } from './server/router.ts';
import type { Handlers } from './server/router.ts';
import { VERSION } from './version.ts';

/** What the daemon answers, route by route. `stop` ends the daemon after its answer is out. */
export function createHandlers(platform: Platform, stop: (purge: boolean) => Promise<void>): Handlers {
  return {
    ...imageHandlers(platform),
    ...runHandlers(platform),
    ...environmentHandlers(platform),
    'GET /v1/status': async () => statusView(platform),
    'GET /v1/kubeconfig': async () => ({ kubeconfig: platform.cluster.kubeconfig('127.0.0.1') }),
    'POST /v1/shutdown': async ({ body }) => {
      platform.clock.timer(50, () => void stop(body.purge));
      return {};
    },
  };
}

function statusView({
  config,
  startedAt,
  addresses,
  cluster,
  runner,
}: Platform): Routes['GET /v1/status']['response'] {
  const { nodes, pods } = cluster.counts();
  return {
    version: VERSION,
    pid: process.pid,
    home: config.home,
    startedAt,
    registry: {
      address: addresses.registry.replace(/^[^:]*/, '127.0.0.1'),
      username: addresses.registryUser,
    },
    cluster: { address: `https://127.0.0.1:${cluster.apiPort}`, nodes, pods },
    ingress: { domain: addresses.kubeDomain, port: cluster.ingressPort },
    runs: { active: runner.active().length },
  };
}

type RunHandlers = Pick<
  Handlers,
  | 'POST /v1/runs'
  | 'GET /v1/runs'
  | 'GET /v1/runs/{id}'
  | 'POST /v1/runs/{id}/cancel'
  | 'GET /v1/runs/{id}/jobs/{job}/log'
  | 'POST /v1/runs/{id}/jobs/{job}/artifacts'
>;

function runHandlers(platform: Platform): RunHandlers {
  const { runner } = platform;
  return {
    'POST /v1/runs': ({ body, signal }) =>
      startPrepared(platform, () => prepareRun(body, prepareOptions(platform)), {
        attached: body.attached,
        signal,
      }),
    'GET /v1/runs': async () => runner.runs.list().map(runView),
    'GET /v1/runs/{id}': async ({ path: { id } }) => runView(knownRun(platform, id)),
    'POST /v1/runs/{id}/cancel': async ({ path: { id } }) => {
      const record = knownRun(platform, id);
      const active = runner.active().find((each) => each.record.id === record.id);
      if (!active) throw new RequestError(409, 'RUN_OVER', `run ${id} is over: ${record.status}`);
      active.cancel();
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

const prepareOptions = ({ clock, variablesFor }: Platform) => ({ now: clock.now(), variablesFor });

function knownRun({ runner }: Platform, id: string | undefined): RunRecord {
  const record = runner.runs.get(Number(id));
  if (!record)
    throw new RequestError(404, 'RUN_UNKNOWN', `there is no run ${id}`, { next: 'updraft logs lists them.' });
  return record;
}

type EnvironmentHandlers = Pick<
  Handlers,
  'GET /v1/environments' | 'POST /v1/environments/stop' | 'POST /v1/environments/rollback'
>;

function environmentHandlers(platform: Platform): EnvironmentHandlers {
  const { runner } = platform;
  const context = () => ({ runner, ...prepareOptions(platform) });
  return {
    'GET /v1/environments': async () => runner.environments.list().map(environmentView),
    'POST /v1/environments/stop': ({ body, signal }) =>
      startPrepared(
        platform,
        () => prepareStop(context(), findEnvironment(runner, body.projectDir, body.name)),
        { attached: true, signal },
      ),
    'POST /v1/environments/rollback': ({ body, signal }) =>
      startPrepared(
        platform,
        () => prepareRollback(context(), findEnvironment(runner, body.projectDir, body.name)),
        { attached: true, signal },
      ),
  };
}

async function* startPrepared(
  platform: Platform,
  prepare: () => Promise<Prepared>,
  client: { readonly attached: boolean; readonly signal: AbortSignal },
): AsyncIterable<RunEvent> {
  const { request, problems } = await prepare();
  const run = platform.runner.create(request);
  noticeRemoved(platform, run);
  yield* streamRun(run, problems, platform.progress, client);
}
