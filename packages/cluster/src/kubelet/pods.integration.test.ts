import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { Json, LiveCluster } from '../testing/live-cluster.ts';

const PODS = '/api/v1/namespaces/shop/pods';

let live: LiveCluster;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'updraft-pods-of-host-'));
  live = await startLiveCluster({ 'tools:1': { Cmd: ['sleep', '1000'] } }, { grants: ['hostPath'] });
  await live.makeNamespace('shop');
});
afterAll(async () => {
  await live.close();
  await rm(folder, { recursive: true, force: true });
});

const podOf = async (name: string): Promise<Json> => (await live.api('GET', `${PODS}/${name}`)).body;
const logOf = async (name: string): Promise<string> => (await live.api('GET', `${PODS}/${name}/log`)).body;
const mainOf = async (name: string): Promise<Json> => (await podOf(name)).status?.containerStatuses?.[0];
const eventsOf = async (name: string): Promise<string[]> =>
  (
    await live.api('GET', `/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name=${name}`)
  ).body.items.map((event: Json) => `${event.reason}: ${event.message}`);

async function run(script: string, spec: object = {}, container: object = {}): Promise<string> {
  const name = `pod-${randomBytes(4).toString('hex')}`;
  const main = { name: 'main', image: 'tools:1', command: ['sh', '-c', script], ...container };
  const { code, body } = await live.api('POST', PODS, {
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 2, containers: [main], restartPolicy: 'Never', ...spec },
  });
  expect(code, JSON.stringify(body)).toBe(201);
  return name;
}

async function ended(name: string, phase = 'Succeeded'): Promise<string> {
  await live
    .until(`${name} ${phase}`, async () => (await podOf(name)).status?.phase === phase)
    .catch(async (error: unknown) => {
      throw new Error(JSON.stringify([await mainOf(name), await eventsOf(name)]), { cause: error });
    });
  return logOf(name);
}

test('an emptyDir outlives its containers, one in memory holds no more than its limit', async () => {
  const name = await run(
    'echo x >> /data/runs; if [ $(wc -l < /data/runs) -lt 2 ]; then exit 1; fi; ' +
      'df -B1 --output=fstype,size /fast | tail -1; stat -c %a /data; exit 0',
    {
      restartPolicy: 'OnFailure',
      volumes: [
        { name: 'data', emptyDir: {} },
        { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      ],
    },
    {
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'fast', mountPath: '/fast' },
      ],
    },
  );
  expect(await ended(name)).toMatch(/tmpfs\s+1048576\n777\n/);
  expect(await mainOf(name)).toMatchObject({ restartCount: 1 });
});

test('a volume that outgrows its limit costs the pod its life', async () => {
  const name = await run(
    'head -c 3000000 /dev/zero > /data/large; exec sleep 1000',
    { volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }], restartPolicy: 'Always' },
    { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  );
  await ended(name, 'Failed');
  const { status } = await podOf(name);
  expect(status).toMatchObject({ reason: 'Evicted' });
  expect(status.message).toBe('Usage of EmptyDir volume "data" exceeds the limit "1Mi". ');
  expect(await eventsOf(name)).toContain(`Evicted: ${status.message}`);
});

test('ConfigMap, Secret, projected and downward files: modes, items, parts, expressions, group', async () => {
  await live.api('POST', '/api/v1/namespaces/shop/configmaps', {
    metadata: { name: 'conf' },
    data: { 'a.txt': 'A', 'b.txt': 'B' },
  });
  await live.api('POST', '/api/v1/namespaces/shop/secrets', {
    metadata: { name: 'word' },
    stringData: { pass: 'secret' },
  });
  const name = await run(
    'id -u; cat /conf/x/a.txt; stat -Lc %a /conf/x/a.txt; cat /one; cat /all/pass /all/b.txt /all/labels; ' +
      'stat -Lc "%a %g" /word/pass; cat /data/$(hostname)/file; stat -c %g /data/.; [ -e /none/x ] || echo none',
    {
      securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 },
      initContainers: [
        {
          name: 'first',
          image: 'tools:1',
          command: ['sh', '-c', 'echo part > /data/file'],
          env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [{ name: 'data', mountPath: '/data', subPathExpr: '$(POD)' }],
        },
      ],
      volumes: [
        {
          name: 'conf',
          configMap: { name: 'conf', defaultMode: 0o440, items: [{ key: 'a.txt', path: 'x/a.txt' }] },
        },
        { name: 'whole', configMap: { name: 'conf' } },
        { name: 'word', secret: { secretName: 'word', defaultMode: 0o400 } },
        { name: 'none', configMap: { name: 'no-such', optional: true } },
        { name: 'data', emptyDir: {} },
        {
          name: 'all',
          projected: {
            sources: [
              { secret: { name: 'word' } },
              { configMap: { name: 'conf', items: [{ key: 'b.txt', path: 'b.txt' }] } },
              { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
      ],
    },
    {
      volumeMounts: [
        { name: 'conf', mountPath: '/conf' },
        { name: 'whole', mountPath: '/one', subPath: 'a.txt' },
        { name: 'word', mountPath: '/word' },
        { name: 'none', mountPath: '/none' },
        { name: 'all', mountPath: '/all' },
        { name: 'data', mountPath: '/data' },
      ],
    },
  );
  expect(await ended(name)).toBe(`1000\nA440\nAsecretBapp="${name}"440 2000\npart\n2000\nnone\n`);
});

test('a ConfigMap’s new content arrives in the volume, not in the part of one', async () => {
  await live.api('POST', '/api/v1/namespaces/shop/configmaps', {
    metadata: { name: 'live' },
    data: { k: 'old' },
  });
  const name = await run(
    'until [ "$(cat /conf/k)" = new ]; do sleep 0.1; done; cat /part',
    { volumes: [{ name: 'conf', configMap: { name: 'live' } }] },
    {
      volumeMounts: [
        { name: 'conf', mountPath: '/conf' },
        { name: 'conf', mountPath: '/part', subPath: 'k' },
      ],
    },
  );
  await live.until('it runs', async () => (await mainOf(name))?.state.running !== undefined);
  const patch = { data: { k: 'new' } };
  const url = '/api/v1/namespaces/shop/configmaps/live';
  await live.api('PATCH', url, patch, 'application/merge-patch+json');
  expect(await ended(name)).toBe('old');
});

test('a part of the host where it is granted; a claim of the pod’s own', async () => {
  await writeFile(path.join(folder, 'there'), 'of the host\n');
  const name = await run(
    'cat /host/there; echo back > /host/back; echo kept > /claim/x; ls /claim',
    {
      volumes: [
        { name: 'host', hostPath: { path: folder, type: 'Directory' } },
        {
          name: 'claim',
          ephemeral: {
            volumeClaimTemplate: {
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          },
        },
      ],
    },
    {
      volumeMounts: [
        { name: 'host', mountPath: '/host' },
        { name: 'claim', mountPath: '/claim' },
      ],
    },
  );
  expect(await ended(name)).toBe('of the host\nx\n');
  expect(await readFile(path.join(folder, 'back'), 'utf8')).toBe('back\n');
  const claim = `/api/v1/namespaces/shop/persistentvolumeclaims/${name}-claim`;
  expect((await live.api('GET', claim)).body.status.phase).toBe('Bound');
  await live.api('DELETE', `${PODS}/${name}`);
  await live.until('the claim has gone, too', async () => (await live.api('GET', claim)).code === 404);
});

test.each([
  [
    { volumes: [{ name: 'h', hostPath: { path: '/no/such', type: 'File' } }] },
    {},
    'hostPath type check failed',
  ],
  [{ hostPID: true }, {}, 'hostPID is not supported'],
  [{ hostNetwork: true }, {}, 'UPDRAFT_CLUSTER_ALLOW=hostNetwork'],
  [{}, { securityContext: { privileged: true } }, 'UPDRAFT_CLUSTER_ALLOW=privileged'],
  [
    { volumes: [{ name: 'v', emptyDir: {} }] },
    { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'HostToContainer' }] },
    'mountPropagation HostToContainer',
  ],
  [
    { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'x' } } },
    {},
    'type Localhost',
  ],
])('%j %j is refused and says so', async (spec, container, message) => {
  const name = await run('true', spec, container);
  await live.until(message, async () => (await eventsOf(name)).join().includes(message));
  expect((await podOf(name)).status.phase).toBe('Pending');
  await live.api('DELETE', `${PODS}/${name}`);
});

test('settings of the kernel: safe ones are set, others make the pod fail', async () => {
  const sysctls = (name: string, value: string) => ({ securityContext: { sysctls: [{ name, value }] } });
  const good = await run(
    'cat /proc/sys/net/ipv4/ip_local_port_range',
    sysctls('net.ipv4.ip_local_port_range', '20000 21000'),
  );
  expect(await ended(good)).toBe('20000\t21000\n');
  const bad = await run('true', sysctls('kernel.msgmax', '1'));
  await ended(bad, 'Failed').catch(() => undefined);
  expect((await podOf(bad)).status).toMatchObject({
    phase: 'Failed',
    reason: 'SysctlForbidden',
    message: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
  });
});

test('names: a domain of its own, other name servers, aliases', async () => {
  const name = await run('hostname; hostname -f; cat /etc/resolv.conf; grep -e other -e managed /etc/hosts', {
    hostname: 'db-0',
    subdomain: 'db',
    hostAliases: [{ ip: '10.9.8.7', hostnames: ['other', 'another'] }],
    dnsPolicy: 'None',
    dnsConfig: {
      nameservers: ['10.1.1.1'],
      searches: ['a.example'],
      options: [{ name: 'ndots', value: '2' }],
    },
  });
  expect(await ended(name)).toBe(
    'db-0\ndb-0.db.shop.svc.cluster.local\nnameserver 10.1.1.1\nsearch a.example\noptions ndots:2\n# Kubernetes-managed hosts file.\n10.9.8.7\tother\tanother\n',
  );
});

test('too much memory is told as such, and the last lines stand in for last words', async () => {
  const hungry = await run('tail /dev/zero', {}, { resources: { limits: { memory: '16Mi' } } });
  await ended(hungry, 'Failed');
  expect((await mainOf(hungry)).state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  const talking = await run('echo why; exit 3', {}, { terminationMessagePolicy: 'FallbackToLogsOnError' });
  await ended(talking, 'Failed');
  expect((await mainOf(talking)).state.terminated).toMatchObject({ exitCode: 3, message: 'why\n' });
  const writing = await run('echo said > /dev/termination-log; exit 1');
  await ended(writing, 'Failed');
  expect((await mainOf(writing)).state.terminated).toMatchObject({ message: 'said\n' });
});

test('the end: last hook inside the grace, sidecars after the others, in reverse', async () => {
  const shout = (who: string) =>
    `trap 'echo ${who} >> /data/order; exit 0' TERM; echo up; while :; do sleep 0.05; done`;
  const sidecar = (name: string) => ({
    name,
    image: 'tools:1',
    restartPolicy: 'Always',
    command: ['sh', '-c', shout(name)],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  });
  const name = await run(
    shout('main'),
    {
      terminationGracePeriodSeconds: 10,
      restartPolicy: 'Always',
      volumes: [{ name: 'data', hostPath: { path: folder } }],
      initContainers: [sidecar('one'), sidecar('two')],
    },
    {
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      lifecycle: {
        postStart: { exec: { command: ['sh', '-c', 'echo post >> /data/order'] } },
        preStop: { exec: { command: ['sh', '-c', 'echo pre >> /data/order'] } },
      },
    },
  );
  await live.until('it runs', async () => (await logOf(name)) === 'up\n');
  await live.api('DELETE', `${PODS}/${name}`);
  await live.until('it is gone', async () => (await live.api('GET', `${PODS}/${name}`)).code === 404);
  expect(await readFile(path.join(folder, 'order'), 'utf8')).toBe('post\npre\nmain\ntwo\none\n');
});
