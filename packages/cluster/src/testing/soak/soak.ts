import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openTestPlatform } from '@updraft/pods/testing';
import type { Json } from '../live-cluster.ts';
import { objectsOf } from './objects.ts';
import { ClusterProcess } from './process.ts';
import { growth, remainsOf } from './remains.ts';
import type { Remains } from './remains.ts';

export interface SoakOptions {
  readonly rounds: number;
  /** Rounds at the same time. */
  readonly lanes: number;
  /** The process is killed and started again after this many rounds; 0: never. */
  readonly killEvery: number;
  report(line: string): void;
}

export interface SoakResult {
  readonly rounds: number;
  /** Why rounds did not come to their end. */
  readonly failures: readonly string[];
  /** What was logged as a warning or worse. */
  readonly logged: readonly string[];
  /** What there is at the end that was not there after the first round. */
  readonly left: Remains;
  /** MB after a collection; of one process for the time since the last kill. */
  readonly memory: readonly { readonly round: number; readonly rssMb: number; readonly heapMb: number }[];
}

const PATIENCE_MS = 120_000;
/** Asking more often would cost more than what is asked for. */
const POLL_MS = 250;
const MB = 1024 * 1024;

/** Deploys, updates, scales, asks, kills and deletes, again and again, over a cluster of its own. Needs root. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const id = randomBytes(3).toString('hex');
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-soak-'));
  const cluster = new ClusterProcess(id, dir);
  try {
    await cluster.begin();
    return await new Soak({ id, dir, cluster, options }).run();
  } finally {
    await cluster.kill();
    await (await openTestPlatform({ id, dir })).close();
  }
}

interface Setting {
  readonly id: string;
  readonly dir: string;
  readonly cluster: ClusterProcess;
  readonly options: SoakOptions;
}

class Soak {
  readonly #setting: Setting;
  readonly #failures: string[] = [];
  readonly #memory: { round: number; rssMb: number; heapMb: number }[] = [];
  #begun = 0;
  #ended = 0;
  #reviving: Promise<void> | undefined;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  async run(): Promise<SoakResult> {
    const { cluster, options, id, dir } = this.#setting;
    await this.#lane(1);
    const before = await remainsOf({ id, dir, pid: cluster.pid });
    await this.#measure();
    await Promise.all(Array.from({ length: options.lanes }, () => this.#lane(options.rounds)));
    const left = await this.#settled(before);
    await this.#measure();
    const { logged } = cluster;
    return { rounds: this.#ended, failures: this.#failures, logged, left, memory: this.#memory };
  }

  async #lane(last: number): Promise<void> {
    while (this.#begun < last) {
      const number = (this.#begun += 1);
      await this.#round(number).catch((error: unknown) => {
        this.#failures.push(`round ${number}: ${String(error)}`);
        this.#setting.options.report(`round ${number}: ${String(error)}`);
      });
      this.#ended += 1;
      if (this.#ended % 20 === 0) await this.#measure();
    }
  }

  async #round(number: number): Promise<void> {
    const { killEvery } = this.#setting.options;
    const round = new Round(this.#setting, number);
    await round.deploy();
    await round.ask();
    if (killEvery > 0 && number % killEvery === 0) await this.#revive();
    await round.change();
    await round.killSomething();
    await round.settle();
    await round.ask();
    await round.remove();
  }

  #revive(): Promise<void> {
    const { cluster } = this.#setting;
    const again = async () => {
      await cluster.kill();
      await cluster.begin();
      this.#reviving = undefined;
    };
    return (this.#reviving ??= again());
  }

  async #measure(): Promise<void> {
    await this.#reviving;
    const { cluster, options } = this.#setting;
    const { rss, heapUsed } = await cluster.memory();
    const files = (await readdir(`/proc/${cluster.pid}/fd`)).length;
    const seen = { round: this.#ended, rssMb: Math.round(rss / MB), heapMb: Math.round(heapUsed / MB) };
    this.#memory.push(seen);
    options.report(
      `${seen.round} rounds: ${seen.rssMb} MB, ${seen.heapMb} MB of heap, ${files} open files, pid ${cluster.pid}`,
    );
  }

  /** What is still on its way out has a while to go. */
  async #settled(before: Remains): Promise<Remains> {
    const { cluster, id, dir } = this.#setting;
    let left: Remains = {};
    for (let attempt = 0; attempt < 30; attempt += 1) {
      left = growth(before, await remainsOf({ id, dir, pid: cluster.pid }));
      if (Object.keys(left).length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return left;
  }
}

/** One namespace from its first object to its end. */
class Round {
  readonly #setting: Setting;
  readonly #name: string;
  readonly #host: string;

  constructor(setting: Setting, number: number) {
    this.#setting = setting;
    this.#name = `round-${number}`;
    this.#host = `round-${number}.localhost`;
  }

  async deploy(): Promise<void> {
    const { cluster } = this.#setting;
    await this.#make({ url: '/api/v1/namespaces', body: { metadata: { name: this.#name } } });
    const account = `/api/v1/namespaces/${this.#name}/serviceaccounts/default`;
    await this.#until('a service account', async () => (await cluster.call('GET', account)).code === 200);
    for (const one of objectsOf(this.#name, this.#host)) await this.#make(one);
    await this.settle();
  }

  /** Made before the process was killed, perhaps: the answer got lost. */
  async #make({ url, body }: { url: string; body: object }): Promise<void> {
    const { code, body: answer } = await this.#setting.cluster.call('POST', url, body);
    if (code !== 201 && code !== 409) throw new Error(`${url}: ${code} ${JSON.stringify(answer)}`);
  }

  /** Through the Service and through the ingress. */
  async ask(): Promise<void> {
    const { cluster } = this.#setting;
    const { body } = await cluster.call('GET', `/api/v1/namespaces/${this.#name}/services/web`);
    const places = [
      () => ask({ host: body.spec.clusterIP, port: 80 }),
      () => ask({ host: '127.0.0.1', port: cluster.ingressPort, headers: { host: this.#host } }),
    ];
    for (const place of places)
      await this.#until('an answer', async () => (await place().catch(() => '')).startsWith('web-'));
  }

  async change(): Promise<void> {
    const template = { metadata: { annotations: { change: 'yes' } } };
    await this.#patch('deployments/web', { spec: { template, replicas: 3 } });
    await this.#patch('statefulsets/member', { spec: { replicas: 1 } });
    await this.settle();
    await this.#patch('deployments/web', { spec: { replicas: 1 } });
  }

  async #patch(what: string, patch: object): Promise<void> {
    const url = `/apis/apps/v1/namespaces/${this.#name}/${what}`;
    const { code } = await this.#setting.cluster.call('PATCH', url, patch, 'application/merge-patch+json');
    if (code !== 200) throw new Error(`PATCH ${url}: ${code}`);
  }

  /** A process of any pod, or one that looks after it. */
  async killSomething(): Promise<void> {
    const { id, dir } = this.#setting;
    const found = await podProcesses(id, dir);
    const victim = found[Math.floor(Math.random() * found.length)];
    if (victim !== undefined) killIfThere(victim);
  }

  /** All that was asked for is there. */
  async settle(): Promise<void> {
    const { cluster } = this.#setting;
    const get = async (url: string): Promise<Json> => (await cluster.call('GET', url)).body;
    const apps = `/apis/apps/v1/namespaces/${this.#name}`;
    await this.#until('the deployment', async () => {
      const { metadata, spec, status = {} } = await get(`${apps}/deployments/web`);
      const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
      const seen = status.observedGeneration === metadata?.generation;
      return seen && counts.every((count) => count === spec.replicas);
    });
    await this.#until('the set', async () => {
      const { metadata, spec, status = {} } = await get(`${apps}/statefulsets/member`);
      const seen = status.observedGeneration === metadata?.generation;
      return seen && status.readyReplicas === spec.replicas && status.replicas === spec.replicas;
    });
    await this.#until('the job', async () => {
      const { status } = await get(`/apis/batch/v1/namespaces/${this.#name}/jobs/once`);
      return status?.succeeded === 1;
    });
  }

  async remove(): Promise<void> {
    const { cluster } = this.#setting;
    const url = `/api/v1/namespaces/${this.#name}`;
    await cluster.call('DELETE', url);
    await this.#until('the end', async () => (await cluster.call('GET', url)).code === 404);
  }

  async #until(what: string, check: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (performance.now() < endMs) {
      if (await check()) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`this did not come true: ${what}\n${await this.#state()}`);
  }

  /** What a reader needs to know why. */
  async #state(): Promise<string> {
    const { cluster } = this.#setting;
    const list = async (plural: string): Promise<Json[]> =>
      (await cluster.call('GET', `/api/v1/namespaces/${this.#name}/${plural}`)).body.items ?? [];
    const pods = (await list('pods')).map(({ metadata, status }) => JSON.stringify({ metadata, status }));
    const events = (await list('events')).map(
      ({ involvedObject, reason, message }) => `${involvedObject.name}: ${reason}: ${message}`,
    );
    const { body } = await cluster.call('GET', `/api/v1/namespaces/${this.#name}`);
    return [JSON.stringify(body), ...pods, ...events.slice(-25)].join('\n');
  }
}

function ask(where: { host: string; port: number; headers?: { host: string } }): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, agent: false, timeout: 5000 }, (response) => {
      response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
}

/** Those in control groups of the platform, and those whose arguments name its folder; never the cluster itself. */
async function podProcesses(id: string, dir: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const group = await readFile(`/proc/${entry}/cgroup`, 'utf8').catch(() => '');
    const args = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (group.includes(id) || (args.includes('updraft-shim') && args.includes(dir)))
      found.push(Number(entry));
  }
  return found;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
