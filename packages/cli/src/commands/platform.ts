import { Fault, systemClock } from '@updraft/kit';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { connect, connectIfRunning, homeOf } from '../daemon/connect.ts';
import { table } from '../render/table.ts';

export const up: Command = {
  name: 'up',
  summary: 'Start the platform: image store, registry, cluster and ingress',
  usage: 'up',
  operands: false,
  options: [],
  async run({ env, output }) {
    const client = connect(env, output);
    const platform = await client.call('GET /v1/status', undefined);
    output.say(
      `The platform runs (process ${platform.pid}); environments appear under ${platform.ingress.domain}`,
    );
    return EXIT.passed;
  },
};

export const down: Command = {
  name: 'down',
  summary: 'Stop the platform; environments come back with the next start',
  usage: 'down [--purge]',
  operands: false,
  options: [{ name: 'purge', help: 'also remove all state: images, environments, runs, caches' }],
  async run({ env, output, flag }) {
    let client = await connectIfRunning(env);
    // What a killed daemon left behind is only found by a daemon: purge starts one.
    if (!client && flag('purge')) client = connect(env, output);
    if (!client) {
      output.say('The platform does not run');
      return EXIT.passed;
    }
    const { pid } = await client.call('GET /v1/status', undefined);
    await client.call('POST /v1/shutdown', { purge: flag('purge') });
    if (flag('purge')) output.say(output.style('dim', `Removing ${homeOf(env)}`));
    await ended(pid, flag('purge') ? PURGE_WITHIN_S : STOP_WITHIN_S);
    output.say(flag('purge') ? `Stopped; ${homeOf(env)} is removed` : 'Stopped');
    return EXIT.passed;
  },
};

/** Gigabytes of layers take a while to remove on a slow disk. */
const PURGE_WITHIN_S = 600;
const STOP_WITHIN_S = 60;

async function ended(pid: number, withinSeconds: number): Promise<void> {
  for (let tries = 0; tries < withinSeconds * 10; tries += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await systemClock.sleep(100);
  }
  throw new Fault('DAEMON_STUCK', `the daemon (process ${pid}) did not end within ${withinSeconds} s`, {
    next: `End it with: kill -9 ${pid}; the next start cleans up.`,
  });
}

export const status: Command = {
  name: 'status',
  summary: 'Show what the platform offers and where',
  usage: 'status [--json]',
  operands: false,
  options: [{ name: 'json', help: 'as JSON' }],
  async run({ env, output, flag }) {
    const client = await connectIfRunning(env);
    if (!client) {
      if (flag('json')) output.result(JSON.stringify({ running: false, home: homeOf(env) }, null, 2));
      else output.result(`The platform does not run. Start it with: updraft up`);
      return EXIT.passed;
    }
    const view = await client.call('GET /v1/status', undefined);
    if (flag('json')) {
      output.result(JSON.stringify({ running: true, ...view }, null, 2));
      return EXIT.passed;
    }
    output.result(
      table([
        ['version', view.version],
        ['home', view.home],
        ['process', String(view.pid)],
        [
          'registry',
          `${view.registry.address} (user ${view.registry.username}, password in registry-credentials.json)`,
        ],
        ['cluster', `${view.cluster.address}, ${view.cluster.pods} pods`],
        ['ingress', `http://*.${view.ingress.domain}, https on port ${view.ingress.tlsPort}`],
        ['runs', `${view.runs.active} active`],
      ]),
    );
    return EXIT.passed;
  },
};

export const kubeconfig: Command = {
  name: 'kubeconfig',
  summary: 'Print a kubeconfig for the cluster to standard output',
  usage: 'kubeconfig',
  operands: false,
  options: [],
  details: 'For example: kubectl --kubeconfig <(updraft kubeconfig) get pods -A',
  async run({ env, output }) {
    const client = connect(env, output);
    const answer = await client.call('GET /v1/kubeconfig', undefined);
    output.result(answer.kubeconfig.trimEnd());
    return EXIT.passed;
  },
};
