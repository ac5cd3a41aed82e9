import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { createNetwork } from '../network/platform-network.ts';
import type { BridgeNetwork, NetworkOptions } from '../network/platform-network.ts';
import { createRuncRuntime } from '../runc/runtime.ts';
import type { Runtime } from '../types.ts';

/** A network and a runc runtime of their own, under a random id; `close` leaves nothing behind. */
export interface TestPlatform {
  readonly id: string;
  readonly dir: string;
  readonly network: BridgeNetwork;
  readonly runtime: Runtime;
  close(): Promise<void>;
}

/** For integration tests; needs root. */
export async function openTestPlatform(
  options: { id?: string; dir?: string } & Pick<NetworkOptions, 'resolvers'> = {},
): Promise<TestPlatform> {
  const id = options.id ?? randomBytes(3).toString('hex');
  const dir = options.dir ?? (await mkdtemp(path.join(tmpdir(), 'updraft-pods-')));
  const base = { id, clock: systemClock, logger: silentLogger };
  const { resolvers } = options;
  const network = await createNetwork({
    ...base,
    dir: path.join(dir, 'network'),
    ...(resolvers ? { resolvers } : {}),
  }).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const runtime = await createRuncRuntime({ ...base, dir: path.join(dir, 'runc'), network });
  return {
    id,
    dir,
    network,
    runtime,
    async close() {
      await Promise.all(runtime.list().map((pod) => pod.remove()));
      await runtime.sweep({ lasting: true });
      await network.remove();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
