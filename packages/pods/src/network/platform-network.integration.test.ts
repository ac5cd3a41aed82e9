import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Resolver } from 'node:dns/promises';
import { fileURLToPath } from 'node:url';
import { run, systemClock } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODE_IN_CONTAINER, openTestPlatform, recorder, toolsContainer } from '../testing/index.ts';
import type { TestPlatform } from '../testing/index.ts';
import type { Pod } from '../types.ts';
import { addressToNumber, numberToAddress, parseCidr } from './cidr.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await openTestPlatform();
});
afterAll(() => platform.close());

const SERVER = `require('http').createServer((q,s)=>s.end(process.env.NAME+' '+q.socket.remoteAddress)).listen(8080,()=>console.log('ready'))`;
const clientScript = (url: string) =>
  `fetch(${JSON.stringify(url)},{signal:AbortSignal.timeout(8000)}).then(r=>r.text()).then(t=>console.log(t),e=>console.log(e.cause?.code??e.message))`;

async function serve(pod: Pod, name: string): Promise<void> {
  await new Promise<void>((resolve) => {
    void pod.start(
      toolsContainer([NODE_IN_CONTAINER, '-e', SERVER], { name: 'server', env: { NAME: name } }),
      {
        onStdout: () => resolve(),
        onStderr: () => undefined,
      },
    );
  });
}

async function fetchFrom(pod: Pod, url: string): Promise<string> {
  const output = recorder();
  const container = await pod.start(
    toolsContainer([NODE_IN_CONTAINER, '-e', clientScript(url)], { name: 'client' }),
    output,
  );
  await container.exited;
  return output.stdout.trim() + output.stderr;
}

async function fetchFromHost(url: string): Promise<string> {
  return (await run(process.execPath, ['-e', clientScript(url)])).stdout.trim();
}

const serviceAddress = (offset: number) =>
  numberToAddress((parseCidr(platform.network.serviceCidr)?.base ?? 0) + offset);

let serial = 0;
const createPod = (more: object = {}) => {
  serial += 1;
  return platform.runtime.createPod({ name: `net-${serial}`, hostname: `net-${serial}`, ...more });
};

const targetOf = (pod: Pod) => ({ address: pod.address ?? '', port: 8080 });

describe('services', () => {
  it('lead to their targets from pods, from the host and from the target itself', async () => {
    const [a, b, client] = await Promise.all([createPod(), createPod(), createPod()]);
    await Promise.all([serve(a, 'a'), serve(b, 'b')]);
    const address = serviceAddress(10);
    const forward = { address, port: 80, protocol: 'tcp' } as const;
    await platform.network.setServices([{ ...forward, targets: [targetOf(a), targetOf(b)] }]);
    const answers = new Set<string>();
    for (let tries = 0; tries < 30 && answers.size < 2; tries += 1)
      answers.add(await fetchFromHost(`http://${address}/`));
    const gateway = platform.network.gateway;
    expect([...answers].toSorted()).toEqual([`a ::ffff:${gateway}`, `b ::ffff:${gateway}`]);

    await platform.network.setServices([{ ...forward, targets: [targetOf(a)], affinitySeconds: 10 }]);
    expect(await fetchFrom(client, `http://${address}/`)).toBe(`a ::ffff:${client.address}`);
    expect(await fetchFrom(a, `http://${address}/`)).toBe(`a ::ffff:${gateway}`);

    await platform.network.setServices([{ ...forward, targets: [] }]);
    expect(await fetchFrom(client, `http://${address}/`)).toBe('ECONNREFUSED');
    expect(await fetchFromHost(`http://${address}/`)).toBe('ECONNREFUSED');
    await Promise.all([a, b, client].map((pod) => pod.remove()));
  });
});

describe('the way to the gateway', () => {
  it('leads from a pod’s own loopback for the ports that were asked for', async () => {
    const pod = await createPod({ gatewayPortsOnLoopback: [8098] });
    const server = createServer((_request, response) => response.end('gateway'));
    await new Promise<void>((resolve) => server.listen(8098, platform.network.gateway, resolve));
    try {
      expect(await fetchFrom(pod, 'http://127.0.0.1:8098/')).toBe('gateway');
      expect(await fetchFrom(pod, 'http://127.0.0.1:8099/')).toBe('ECONNREFUSED');
    } finally {
      server.close();
      await pod.remove();
    }
  });
});

describe('names', () => {
  it('are answered for pods by the platform’s zones', async () => {
    const remove = platform.network.addZone({
      lookup: (name, type) =>
        name === 'db.example' && type === 'A' ? [{ type: 'A', ttlSeconds: 5, data: '10.9.8.7' }] : undefined,
    });
    const pod = await createPod({ dnsSearch: ['example'], dnsOptions: ['ndots:5'] });
    const output = recorder();
    const script = `require('dns').lookup('db',(e,a)=>console.log(e?.code??a))`;
    await (
      await pod.start(toolsContainer([NODE_IN_CONTAINER, '-e', script]), output)
    ).exited;
    expect(output.stdout.trim()).toBe('10.9.8.7');
    const resolver = new Resolver();
    resolver.setServers([platform.network.gateway]);
    expect(await resolver.resolve4('DB.example')).toEqual(['10.9.8.7']);
    remove();
    await pod.remove();
  });
});

const devices = async () =>
  (await readdir('/sys/class/net')).filter((device) => device.startsWith(`ud${platform.id}`)).length;

describe('a host whose firewall drops by default', () => {
  it('lets pods through while the platform is up', async () => {
    const program = fileURLToPath(new URL('../testing/firewalled-program.ts', import.meta.url));
    // The devices of a network namespace show in a /sys that was mounted in it; control groups are kept.
    const script = `set -e; mount --rbind /sys/fs/cgroup /mnt; mount -t sysfs sysfs /sys
      mount --rbind /mnt /sys/fs/cgroup; umount -l /mnt; ip link set lo up; exec "$@"`;
    const args = ['--net', '--mount', 'sh', '-c', script, 'sh', process.execPath, '--import', 'tsx', program];
    const result = await run('unshare', args, { signal: AbortSignal.timeout(30_000) });
    expect(result.stderr).toBe('');
    expect(JSON.parse(result.stdout)).toEqual({ output: '10.1.2.3\nhello\n', unchanged: true });
  });
});

describe('taking away', () => {
  it('leaves nothing on the host, whatever was there', async () => {
    const other = await openTestPlatform();
    const pod = await other.runtime.createPod({
      name: 'left',
      hostname: 'left',
      gatewayPortsOnLoopback: [80],
    });
    expect(pod.address).toBeDefined();
    await other.close();
    expect((await readdir('/sys/class/net')).filter((device) => device.includes(other.id))).toEqual([]);
    expect((await run('nft', ['list', 'tables'])).stdout).not.toContain(other.id);
    expect((await run('cat', ['/proc/self/mountinfo'])).stdout).not.toContain(other.dir);
    expect((await run('ls', [other.dir])).code).not.toBe(0);
  });

  it('keeps two platforms apart', async () => {
    const other = await openTestPlatform();
    try {
      expect(other.network.podCidr).not.toBe(platform.network.podCidr);
      expect(addressToNumber(other.network.gateway)).not.toBe(addressToNumber(platform.network.gateway));
    } finally {
      await other.close();
    }
  });

  it('lets the devices of removed pods disappear', async () => {
    await (await createPod()).remove();
    await systemClock.sleep(300);
    const before = await devices();
    for (let pods = 0; pods < 5; pods += 1) await (await createPod()).remove();
    await expect.poll(devices, { timeout: 5000 }).toBe(before);
  });
});
