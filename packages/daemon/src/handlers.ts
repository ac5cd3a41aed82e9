import { VERSION } from '@updraft/control';
import type { Routes } from '@updraft/control';
import { imageHandlers } from './images/handlers.ts';
import type { Platform } from './platform.ts';
import { findEnvironment, prepareRollback, prepareStop } from './runs/environments.ts';
import { prune } from './runs/prune.ts';
import { prepareOptions, runHandlers, startPrepared } from './runs/handlers.ts';
import { environmentView } from './runs/views.ts';
import type { Handlers } from './server/router.ts';

/** What the daemon answers, route by route. `stop` ends the daemon after its answer is out. */
export function createHandlers(platform: Platform, stop: (purge: boolean) => Promise<void>): Handlers {
  return {
    ...imageHandlers(platform),
    ...runHandlers(platform),
    ...environmentHandlers(platform),
    'GET /v1/status': async () => statusView(platform),
    'GET /v1/kubeconfig': async () => ({ kubeconfig: platform.cluster.kubeconfig('127.0.0.1') }),
    'POST /v1/prune': ({ body }) => prune(platform, body),
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
    ingress: { domain: addresses.kubeDomain, port: cluster.ingressPort, tlsPort: cluster.ingressTlsPort },
    runs: { active: runner.active().length },
  };
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
