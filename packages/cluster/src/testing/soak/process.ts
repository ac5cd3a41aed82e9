import { fileURLToPath } from 'node:url';
import { signalProcess, start } from '@updraft/kit';
import type { RunningProcess } from '@updraft/kit';
import type { Cluster } from '../../types.ts';
import { callApi } from '../live-cluster.ts';
import type { Json } from '../live-cluster.ts';

const PROGRAM = fileURLToPath(new URL('../cluster-program.ts', import.meta.url));

type Address = Pick<Cluster, 'apiPort' | 'credentials' | 'ingressPort'>;

/** A cluster in a process of its own, that can be killed and comes back. */
export class ClusterProcess {
  readonly #id: string;
  readonly #dir: string;
  /** What was logged as a warning or worse. */
  readonly logged: string[] = [];
  #process: RunningProcess | undefined;
  #address: Address | undefined;

  constructor(id: string, dir: string) {
    this.#id = id;
    this.#dir = dir;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get ingressPort(): number {
    return this.#address?.ingressPort ?? 0;
  }

  /** As the command starts one: in a mount namespace of its own. */
  async begin(): Promise<void> {
    const node = [process.execPath, '--expose-gc', '--import', 'tsx', PROGRAM];
    const program = [...node, this.#id, this.#dir, String(this.#address?.apiPort ?? 0)];
    this.#process = await start('unshare', ['--mount', '--propagation', 'slave', ...program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.logged.push(...String(chunk).split('\n').filter(Boolean));
    });
    this.#address = JSON.parse(await this.#line()) as Address;
  }

  async #line(): Promise<string> {
    let text = '';
    for await (const chunk of this.#process?.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      text += String(chunk);
      if (text.includes('\n')) return text;
    }
    throw new Error(`the cluster did not start: ${this.logged.slice(-5).join('\n')}`);
  }

  /** kill -9, of the process alone. */
  async kill(): Promise<void> {
    if (this.#process) signalProcess(this.#process.pid, 'SIGKILL');
    await this.#process?.exited;
  }

  /** What it needs when nothing is left to collect. */
  async memory(): Promise<{ rss: number; heapUsed: number }> {
    process.kill(this.pid, 'SIGUSR2');
    return JSON.parse(await this.#line()) as { rss: number; heapUsed: number };
  }

  /** A request as the administrator; again while the process is not there. */
  async call(method: string, url: string, body?: object, contentType?: string): Promise<Reply> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (!this.#address) throw new Error('not started');
        return await callApi(this.#address, { method, url, body, contentType });
      } catch (error) {
        if (attempt === 150) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}

export interface Reply {
  readonly code: number;
  readonly body: Json;
}
