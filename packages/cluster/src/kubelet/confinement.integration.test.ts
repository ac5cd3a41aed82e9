import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startLiveCluster } from '../testing/live-cluster.ts';
import type { Json, LiveCluster } from '../testing/live-cluster.ts';

// What root in a container of a pod can not do.
vi.setConfig({ testTimeout: 60_000 });
const PODS = '/api/v1/namespaces/shop/pods';

let live: LiveCluster;
beforeAll(async () => {
  live = await startLiveCluster({ 'tools:1': { Cmd: ['sleep', '1000'] } });
  await live.makeNamespace('shop');
});
afterAll(() => live.close());

let serial = 0;
const podOf = async (name: string): Promise<Json> => (await live.api('GET', `${PODS}/${name}`)).body;

async function make(command: string[], container: object = {}, spec: object = {}): Promise<string> {
  serial += 1;
  const name = `p${serial}`;
  const containers = [{ name: 'main', image: 'tools:1', command, ...container }];
  const whole = { terminationGracePeriodSeconds: 0, restartPolicy: 'Never', containers, ...spec };
  const { code, body } = await live.api('POST', PODS, { metadata: { name }, spec: whole });
  expect(code, JSON.stringify(body)).toBe(201);
  return name;
}

async function output(command: string[], container: object = {}, spec: object = {}): Promise<string> {
  const name = await make(command, container, spec);
  await live.until(
    `${name} ends`,
    async () => ['Succeeded', 'Failed'].includes((await podOf(name)).status?.phase),
    30_000,
  );
  return (await live.api('GET', `${PODS}/${name}/log`)).body;
}
const shell = (script: string, container: object = {}, spec: object = {}) =>
  output(['sh', '-c', script], container, spec);
const python = (script: string) => output(['python3', '-c', script]);

test('system calls that reach the machine are refused', async () => {
  const script = `
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
  child = os.fork()
  if child == 0:
    if libc.syscall(number, *arguments) >= 0: print(name, flush=True)
    os._exit(0)
  os.waitpid(child, 0)
call('mount', 165, b'none', b'/', b'tmpfs', 0, 0)
call('umount2', 166, b'/proc/kcore', 2)
call('pivot_root', 155, b'/', b'/')
call('fsopen', 430, b'tmpfs', 0)
call('open_tree', 428, -100, b'/', 1)
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000): call('unshare %x' % flag, 272, flag)
call('clone a user namespace', 56, 0x10000000 | 17, 0, 0, 0, 0)
call('setns', 308, os.open('/proc/self/ns/net', 0), 0)
call('init_module', 175, b'', 0, b'')
call('finit_module', 313, 0, b'', 0)
call('kexec_load', 246, 0, 0, 0, 0)
call('reboot', 169, 0xfee1dead, 672274793, 0, 0)
call('keyctl', 250, 0, -3, 0)
call('add_key', 248, b'user', b'a', b'b', 1, -3)
call('bpf', 321, 0, b' ' * 128, 128)
call('perf_event_open', 298, b' ' * 128, 0, -1, -1, 0)
call('io_uring_setup', 425, 1, b' ' * 256)
call('userfaultfd', 323, 0)
call('open_by_handle_at', 304, 3, b' ' * 64, 0)
call('syslog', 103, 3, b' ' * 8, 8)
call('iopl', 172, 3)
call('settimeofday', 164, b'\\0' * 16, 0)
call('swapon', 167, b'/x', 0)
call('acct', 163, b'/x')
call('sethostname', 170, b'x', 1)
call('fanotify_init', 300, 0, 0)
call('nice', 141, 0, 0, -20)
call('mount of the old instruction set', 0x40000000 | 165, b'none', b'/', b'tmpfs', 0, 0)
import socket
for family in (38, 40):
  try: socket.socket(family, 5 if family == 38 else 1, 0); print('family', family)
  except OSError: pass
print('done')`;
  expect(await python(script)).toBe('done\n');
});

test('of /proc and /sys it changes nothing, and what tells of the machine is hidden', async () => {
  const script = `
for f in kernel/core_pattern kernel/panic vm/drop_caches net/ipv4/ip_forward kernel/hostname fs/file-max; do
  (echo 1 > /proc/sys/$f) 2>/dev/null && echo "wrote $f"; done
(echo h > /proc/sysrq-trigger) 2>/dev/null && echo wrote sysrq
for f in /sys/kernel/mm/ksm/run /sys/power/state /sys/kernel/uevent_helper; do (echo 1 > $f) 2>/dev/null && echo "wrote $f"; done
mkdir /sys/fs/cgroup/*/sub 2>/dev/null && echo made a group
if [ $(stat -fc %T /sys/fs/cgroup) != tmpfs ]; then mkdir /sys/fs/cgroup/sub 2>/dev/null && echo made a group; fi
find /sys /proc/irq /proc/bus /proc/fs -writable ! -path /sys/fs/cgroup 2>/dev/null | head -3
for f in keys interrupts timer_list sched_debug kcore latency_stats timer_stats; do cat /proc/$f 2>/dev/null | head -c 1; done
ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v :
cat /proc/sys/kernel/core_pattern >/dev/null && echo readable`;
  expect((await shell(script)).split('\n').filter(Boolean)).toEqual(['readable']);
});

test('device nodes that it makes lead nowhere', async () => {
  const script = `
for node in 'b 8 0' 'b 254 0' 'b 259 0' 'b 7 0' 'c 1 1' 'c 1 4' 'c 1 11' 'c 10 229' 'c 10 232' 'c 10 237' 'c 10 234' 'c 4 0' 'c 5 1' 'c 13 64'; do
  mknod /node $node && { timeout 2 dd if=/node of=/dev/null bs=1 count=1 2>/dev/null && echo "read $node"; rm /node; }
done; echo done`;
  expect(await shell(script)).toBe('done\n');
});

test('it sees no process of the machine or of another pod, and signals none', async () => {
  const other = await make(['sh', '-c', 'exec sleep 471147']);
  await live.until('the other runs', async () => (await podOf(other)).status?.phase === 'Running');
  const script = `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o '4711[4]7' ; kill -0 ${process.pid} 2>/dev/null && echo signalled; ls -d /proc/${process.pid} 2>/dev/null; echo done`;
  expect(await shell(script)).toBe('done\n');
});

test('no file of the platform is within its reach, nor the volumes and tokens of others', async () => {
  const script = `ls -d ${live.platform.dir} /root /home 2>/dev/null
for link in /proc/[0-9]*/root /proc/[0-9]*/cwd /proc/[0-9]*/fd/*; do ls -d "$link/..${live.platform.dir}" "$link/${live.platform.dir}"; done 2>/dev/null
find / -xdev -name '*.sock' -o -name cluster.db 2>/dev/null; grep -c . /var/run/secrets/kubernetes.io/serviceaccount/token; echo x > /var/run/secrets/kubernetes.io/serviceaccount/token || echo kept`;
  const lines = (await shell(script)).split('\n').filter((line) => !line.startsWith('sh:'));
  expect(lines.filter(Boolean)).toEqual(['1', 'kept']);
});

test('it reaches neither the loopback of the machine nor what listens on the gateway for others', async () => {
  const { gateway } = live.platform.network;
  const servers = ['127.0.0.1', gateway, '0.0.0.0'].map((address) => {
    const server = createServer((socket) => socket.end('host'));
    server.listen(0, address);
    return server;
  });
  const control = createServer((socket) => socket.end('host'));
  const socketFile = path.join(live.platform.dir, 'control.sock');
  control.listen(socketFile);
  await Promise.all([...servers, control].map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const targets = ports.flatMap((port) => [`127.0.0.1:${port}`, `${gateway}:${port}`, `localhost:${port}`]);
  const script = `
import socket
for target in ${JSON.stringify([...targets, `127.0.0.1:${live.cluster.ingressPort}`])}:
  host, port = target.split(':')
  try: socket.create_connection((host, int(port)), 1); print('reached', target)
  except OSError: pass
try:
  s = socket.socket(socket.AF_UNIX); s.connect('${socketFile}'); print('reached the socket')
except OSError: pass
for port in (${live.cluster.apiPort}, ${live.cluster.ingressPort}): socket.create_connection(('${gateway}', port), 3).close()
print('done')`;
  expect(await python(script)).toBe('done\n');
  for (const server of [...servers, control]) server.close();
});

test('a handler of it does not reach the loopback of the machine either', async () => {
  let asked = 0;
  const server = createServer((socket) => socket.end('host')).on('connection', () => (asked += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const name = await make(['sleep', '1000'], {
    livenessProbe: { tcpSocket: { host: '127.0.0.1', port }, periodSeconds: 1, failureThreshold: 1000 },
    readinessProbe: { httpGet: { host: 'localhost', port }, periodSeconds: 1 },
  });
  const events = `/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name=${name}`;
  const said = async () => JSON.stringify((await live.api('GET', events)).body);
  await live.until(
    'both failed',
    async () => /Liveness.*loopback/.test(await said()) && /Readiness/.test(await said()),
  );
  expect(asked).toBe(0);
  server.close();
});

test('what it writes is out of reach for other users of the machine', async () => {
  for (const folder of ['cluster', 'runc']) {
    const { mode, uid } = await stat(path.join(live.platform.dir, folder));
    expect([folder, mode & 0o777, uid]).toEqual([folder, 0o700, 0]);
  }
});

test('its processes are limited', async () => {
  const script = 'cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max';
  expect(Number(await shell(script))).toBe(4096);
});

test('what it leaves goes with it: folders deeper than a path, files of the root alone', async () => {
  const script = `
import os
for place in ('/data', '/fast', '/'):
  os.chdir(place)
  for step in range(100): os.mkdir('d' * 100); os.chdir('d' * 100)
  open('end', 'w').close()`;
  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'fast', emptyDir: { medium: 'Memory' } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  const name = await make(['python3', '-c', script], { volumeMounts }, { volumes });
  await live.until('it ends', async () => (await podOf(name)).status?.phase === 'Succeeded');
  const { uid } = (await podOf(name)).metadata;
  await live.api('DELETE', `${PODS}/${name}`);
  await live.until('it is gone', async () => (await live.api('GET', `${PODS}/${name}`)).code === 404);
  const left = async () => [
    ...(await readdir(path.join(live.platform.dir, 'runc/pods'))),
    ...(await readdir(path.join(live.platform.dir, 'cluster/pods'))),
  ];
  await live.until('its folders are gone', async () => !(await left()).join(' ').includes(uid.slice(0, 8)));
});

test('its last words may be of any size', async () => {
  const name = await make([
    'sh',
    '-c',
    'truncate -s 3G /dev/termination-log; echo bye >> /dev/termination-log; exit 1',
  ]);
  const before = process.memoryUsage().rss;
  await live.until('it ends', async () => (await podOf(name)).status?.phase === 'Failed');
  const { message } = (await podOf(name)).status.containerStatuses[0].state.terminated;
  expect(message).toMatch(/bye\n$/);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
});

test('a link on the way to a part of a volume does not lead out of it', async () => {
  const at = (name: string, mountPath: string, script: string, more: object = {}) => ({
    name,
    image: 'tools:1',
    command: ['sh', '-c', script],
    volumeMounts: [{ name: 'data', mountPath, ...more }],
  });
  const links = 'ln -s /etc /data/way; ln -s ../../../../../../../etc /data/up';
  for (const subPath of ['way', 'up']) {
    const spec = {
      volumes: [{ name: 'data', emptyDir: {} }],
      initContainers: [at('first', '/data', links)],
    };
    const printed = await shell('', at('main', '/part', 'echo in; ls -A /part', { subPath }), spec);
    expect(printed).toBe('in\n');
  }
});
