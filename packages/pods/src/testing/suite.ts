import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Container, ContainerExit, ContainerSpec, Pod, PodSpec, Runtime } from '../types.ts';
import { NODE_IN_CONTAINER, recorder } from './host-tools.ts';

/** What a runtime's test provides. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  /** A container with `sh`, the core programs and `cat`; Node at `NODE_IN_CONTAINER` when the network is tested. */
  container(command: readonly string[], more?: Partial<ContainerSpec>): ContainerSpec;
  close(): Promise<void>;
}

export interface RuntimeSuite {
  readonly name: string;
  readonly create: () => Promise<RuntimeUnderTest>;
  /** Groups of cases this kind of runtime cannot pass, each with the reason. */
  readonly skip?: Partial<
    Record<
      | 'accounts'
      | 'isolation'
      | 'limits'
      | 'network'
      | 'noNetwork'
      | 'overlay'
      | 'processCount'
      | 'processTree'
      | 'terminal'
      | 'users',
      string
    >
  >;
}

type Ran = { exit: ContainerExit; stdout: string; stderr: string };

const done = (code: number): ContainerExit => ({ kind: 'exited', code, outOfMemory: false });

const group = (reason: string | undefined, title: string, cases: () => void) =>
  describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (${reason})`, cases);

/** Prints a field of the process's status. */
const status = (field: string) => `sed -n 's/^${field}:[[:space:]]*//p' /proc/self/status`;

const server = `require('http').createServer((q,s)=>s.end('from '+q.socket.remoteAddress)).listen(8080,()=>console.log('ready'))`;
const client = (url: string) => [
  NODE_IN_CONTAINER,
  '-e',
  `fetch('${url}').then(r=>r.text()).then(console.log,e=>{console.log(e.cause?.code??e.message);process.exit(1)})`,
];

/** The contract of `Runtime` as cases; every runtime has to pass those it does not skip with a reason. */
export function testRuntime({ name, create, skip = {} }: RuntimeSuite): void {
  describe(`runtime ${name}`, () => {
    let subject: RuntimeUnderTest;
    let folder: string;
    let serial = 0;
    const pods: Pod[] = [];

    beforeAll(async () => {
      subject = await create();
      folder = await mkdtemp(path.join(tmpdir(), 'updraft-runtime-'));
    });
    afterEach(async () => {
      await Promise.all(pods.splice(0).map((pod) => pod.remove()));
      expect(subject.runtime.list()).toEqual([]);
    });
    afterAll(async () => {
      await subject?.close();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    async function createPod(more: Partial<PodSpec> = {}): Promise<Pod> {
      serial += 1;
      const pod = await subject.runtime.createPod({
        name: `pod-${serial}`,
        hostname: `host-${serial}`,
        ...more,
      });
      pods.push(pod);
      return pod;
    }
    async function runIn(pod: Pod, command: string[], more: Partial<ContainerSpec> = {}): Promise<Ran> {
      const output = recorder();
      const container = await pod.start(subject.container(command, more), output);
      const exit = await container.exited;
      return { exit, stdout: output.stdout, stderr: output.stderr };
    }
    const runAlone = async (command: string[], more: Partial<ContainerSpec> = {}) =>
      runIn(await createPod(), command, more);
    const shell = (script: string, more: Partial<ContainerSpec> = {}) => runAlone(['sh', '-c', script], more);
    async function startReady(
      pod: Pod,
      script: string,
      more: Partial<ContainerSpec> = {},
    ): Promise<Container> {
      return new Promise((resolve, reject) => {
        let text = '';
        let container: Container | undefined;
        const look = () => container && text.includes('ready') && resolve(container);
        pod
          .start(subject.container(['sh', '-c', script], more), {
            onStdout: (chunk) => {
              text += chunk.toString();
              look();
            },
            onStderr: () => undefined,
          })
          .then((started) => {
            container = started;
            look();
            return started.exited.then((exit) => reject(new Error(`ended early: ${JSON.stringify(exit)}`)));
          }, reject);
      });
    }

    describe('processes', () => {
      it('tells the exit code and keeps the two outputs apart', async () => {
        const ran = await shell('echo out; echo err >&2; exit 7');
        expect(ran).toEqual({ exit: done(7), stdout: 'out\n', stderr: 'err\n' });
      });

      it('has delivered all output when it tells the end', async () => {
        const ran = await shell('i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done');
        expect(ran.stdout.length).toBe(220_000);
      });

      it('lets programs open their outputs by name', async () => {
        const ran = await shell('echo out >/dev/stdout; echo err >/dev/stderr');
        expect(ran).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
      });

      it('gives exactly the environment asked for, and a PATH when there is none', async () => {
        const ran = await shell('echo "$GREETING"; [ -n "$PATH" ] && echo path', {
          env: { GREETING: 'hello $x "y"' },
        });
        expect(ran.stdout).toBe('hello $x "y"\npath\n');
      });

      it('feeds standard input until it ends', async () => {
        const output = recorder();
        const pod = await createPod();
        const stdin = Readable.from([Buffer.from('one\n'), Buffer.from('two\n')]);
        const container = await pod.start(subject.container(['cat']), { ...output, stdin });
        expect(await container.exited).toEqual(done(0));
        expect(output.stdout).toBe('one\ntwo\n');
      });

      it('does not hang when a program ends without reading its input', async () => {
        const output = recorder();
        const pod = await createPod();
        const stdin = Readable.from([Buffer.alloc(1_000_000)]);
        const container = await pod.start(subject.container(['true']), { ...output, stdin });
        expect(await container.exited).toEqual(done(0));
      });

      it('has an empty standard input when none is given', async () => {
        expect(await shell('cat; echo end')).toMatchObject({ exit: done(0), stdout: 'end\n' });
      });

      it('tells a program that is missing from one that fails', async () => {
        const ran = await runAlone(['no-such-program']);
        expect(ran.exit).toMatchObject({ kind: 'couldNotStart' });
        expect(ran.exit.kind === 'couldNotStart' && ran.exit.message).toContain('no-such-program');
        expect(ran.stderr).toBe('');
      });
    });

    group(skip.overlay, 'programs the kernel refuses', () => {
      it.each([
        ['no-format', 'neither a script nor a program\n'],
        ['no-interpreter', '#!/no/such/interpreter\n'],
      ])('are told as not started: %s', async (file, content) => {
        const layer = path.join(folder, `refused-${file}`);
        await mkdir(layer);
        await writeFile(path.join(layer, file), content, { mode: 0o755 });
        const ran = await runAlone([`/${file}`], { rootFs: { layers: [layer] } });
        expect(ran.exit).toMatchObject({ kind: 'couldNotStart' });
      });
    });

    describe('stopping', () => {
      it('signals first and lets the program end by itself', async () => {
        const container = await startReady(
          await createPod(),
          `trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done`,
        );
        await container.stop(10_000);
        expect(await container.exited).toEqual(done(5));
      });

      it('kills what does not end in time', async () => {
        const container = await startReady(
          await createPod(),
          `trap '' TERM; echo ready; while :; do sleep 0.05; done`,
        );
        await container.stop(50);
        expect(await container.exited).toEqual(done(137));
      });

      it('may be asked twice and after the end', async () => {
        const container = await startReady(await createPod(), 'echo ready; exec sleep 60');
        await Promise.all([container.stop(0), container.stop(0)]);
        await container.stop(1000);
        await container.kill('SIGTERM');
      });

      it('sends the signal the container asked for', async () => {
        const container = await startReady(
          await createPod(),
          `trap 'exit 3' USR1; echo ready; while :; do sleep 0.05; done`,
          {
            stopSignal: 'SIGUSR1',
          },
        );
        await container.stop(10_000);
        expect(await container.exited).toEqual(done(3));
      });
    });

    describe('exec', () => {
      it('runs another process beside the first', async () => {
        const container = await startReady(await createPod(), 'echo ready; exec sleep 60', {
          env: { A: 'of the container' },
        });
        const output = recorder();
        const process = await container.exec(['sh', '-c', 'echo "$A"; echo err >&2; exit 4'], output);
        expect(await process.exited).toEqual(done(4));
        expect(output).toMatchObject({ stdout: 'of the container\n', stderr: 'err\n' });
      });

      it('takes input and another environment', async () => {
        const container = await startReady(await createPod(), 'echo ready; exec sleep 60');
        const output = recorder();
        const stdin = Readable.from([Buffer.from('typed')]);
        const process = await container.exec(['sh', '-c', 'echo "$B $(cat)"'], {
          ...output,
          stdin,
          env: { B: 'given' },
        });
        expect(await process.exited).toEqual(done(0));
        expect(output.stdout).toBe('given typed\n');
      });

      it('tells a missing program', async () => {
        const container = await startReady(await createPod(), 'echo ready; exec sleep 60');
        const process = await container.exec(['no-such-program'], recorder());
        expect(await process.exited).toMatchObject({ kind: 'couldNotStart' });
      });

      it('ends with its container', async () => {
        const container = await startReady(await createPod(), 'echo ready; exec sleep 60');
        const process = await container.exec(['sleep', '60'], recorder());
        await container.stop(0);
        expect(await process.exited).toMatchObject({ code: 137 });
      });

      it('is refused once the container has ended', async () => {
        const pod = await createPod();
        const container = await pod.start(subject.container(['true']), recorder());
        await container.exited;
        await expect(container.exec(['true'], recorder())).rejects.toMatchObject({ code: 'GONE' });
      });
    });

    group(skip.terminal, 'terminals', () => {
      it('are the controlling terminal of an exec, can be typed into and be resized', async () => {
        const container = await startReady(await createPod(), 'echo ready; exec sleep 60');
        const output = recorder();
        const script =
          'stty size; trap "stty size; exit 6" WINCH; echo waiting; while :; do sleep 0.05; done';
        const process = await container.exec(['sh', '-c', script], { ...output, terminal: true });
        await expect.poll(() => output.stdout).toContain('24 80\r\nwaiting');
        process.resize?.(132, 43);
        expect(await process.exited).toEqual(done(6));
        expect(output.stdout).toContain('43 132');
      });

      it('turn what is typed into signals', async () => {
        const output = recorder();
        const pod = await createPod();
        const container = await pod.start(subject.container(['cat'], { terminal: true }), output);
        container.stdin?.write('hello\n');
        await expect.poll(() => output.stdout).toBe('hello\r\nhello\r\n');
        container.stdin?.write('\u0004');
        expect(await container.exited).toEqual(done(0));
      });
    });

    describe('life cycle', () => {
      it('lists living pods with their labels', async () => {
        const pod = await createPod({ labels: { app: 'x' } });
        expect(subject.runtime.list().map(({ name, labels }) => ({ name, labels }))).toEqual([
          { name: pod.name, labels: { app: 'x' } },
        ]);
      });

      it('refuses a second pod, and a second running container, of the same name', async () => {
        const pod = await createPod();
        await expect(createPod({ name: pod.name })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
        await startReady(pod, 'echo ready; exec sleep 60');
        await expect(pod.start(subject.container(['true']), recorder())).rejects.toMatchObject({
          code: 'NAME_TAKEN',
        });
      });

      it.each(['../up', 'a/b', '', 'UPPER/x', '-'])('refuses the name %j', async (bad) => {
        await expect(createPod({ name: bad })).rejects.toMatchObject({ code: 'NAME_INVALID' });
      });

      it('starts containers of a pod one after the other and side by side', async () => {
        const pod = await createPod();
        expect((await runIn(pod, ['true'])).exit).toEqual(done(0));
        const names = ['a', 'b', 'c'];
        const ran = await Promise.all(names.map((name) => runIn(pod, ['sh', '-c', 'echo x'], { name })));
        expect(ran.map(({ stdout }) => stdout)).toEqual(['x\n', 'x\n', 'x\n']);
      });

      it('adopts nothing that nobody has left', async () => {
        const pod = await createPod({ lasting: true });
        expect(await subject.runtime.adopt('no-such-pod')).toBeUndefined();
        expect((await runIn(pod, ['sh', '-c', 'echo out; echo err >&2; exit 3'])).exit).toEqual(done(3));
        expect(await subject.runtime.sweep({ lasting: true })).toEqual({ removed: [] });
        expect((await runIn(pod, ['true'])).exit).toEqual(done(0));
      });

      it('kills what runs when a pod is removed, which may be asked twice', async () => {
        const pod = await createPod();
        const container = await startReady(pod, 'echo ready; exec sleep 60');
        await Promise.all([pod.remove(), pod.remove()]);
        expect(await container.exited).toEqual(done(137));
        await expect(pod.start(subject.container(['true']), recorder())).rejects.toMatchObject({
          code: 'GONE',
        });
      });
    });

    group(skip.overlay, 'file system', () => {
      it('makes the working folder when the image has none', async () => {
        expect((await shell('pwd', { workingDir: '/deep/er' })).stdout).toBe('/deep/er\n');
      });

      it('keeps what was written in the upper folder that was given, and nothing of its own', async () => {
        const upper = path.join(folder, 'upper');
        await shell('echo kept > /made', { rootFs: { layers: [], upper } });
        expect(await readFile(path.join(upper, 'made'), 'utf8')).toBe('kept\n');
        const again = await shell('cat /made; ls -A /', { rootFs: { layers: [], upper } });
        expect(again.stdout).toMatch(/^kept\n/);
        expect(await readdir(upper)).toEqual(['made']);
      });

      it('stacks layers, the first on top, and never writes to them', async () => {
        const [top, bottom] = [path.join(folder, 'top'), path.join(folder, 'bottom')];
        await Promise.all([top, bottom].map((layer) => mkdir(layer)));
        await writeFile(path.join(top, 'a'), 'top');
        await writeFile(path.join(bottom, 'a'), 'bottom');
        await writeFile(path.join(bottom, 'b'), 'b');
        const ran = await shell('cat /a /b; rm /a; echo new > /b; ls /a /b 2>/dev/null', {
          rootFs: { layers: [top, bottom] },
        });
        expect(ran.stdout).toBe('topb/b\n');
        expect(await readdir(top)).toEqual(['a']);
        expect(await readFile(path.join(bottom, 'b'), 'utf8')).toBe('b');
      });

      it('stacks more layers than fit in a page of options', async () => {
        const layers = Array.from({ length: 70 }, (_, index) =>
          path.join(folder, 'a-rather-long-name-for-a-folder'.repeat(3), String(index)),
        );
        for (const layer of layers) await mkdir(layer, { recursive: true });
        for (const layer of layers) await writeFile(path.join(layer, path.basename(layer)), 'x');
        const ran = await shell('cat /0 /35 /69', { rootFs: { layers } });
        expect(ran.stdout).toBe('xxx');
      });

      it('refuses writes to a read-only root and to a read-only bind', async () => {
        const ran = await shell('echo x 2>&1 >/file || echo root; echo x >/opt/bound/file || echo bind', {
          rootFs: { layers: [], readOnly: true },
          mounts: [{ kind: 'bind', source: folder, target: '/opt/bound', readOnly: true }],
        });
        expect(ran.stdout).toContain('root');
        expect(ran.stdout).toContain('bind');
      });

      it('binds folders and single files, and mounts a tmpfs', async () => {
        const file = path.join(folder, 'bound-file');
        await writeFile(file, 'content');
        const ran = await shell(
          'cat /somewhere/file; echo x > /scratch/x && cat /scratch/x; echo written > /data/out',
          {
            mounts: [
              { kind: 'bind', source: file, target: '/somewhere/file', readOnly: true },
              { kind: 'tmpfs', target: '/scratch', sizeBytes: 1 << 20 },
              { kind: 'bind', source: folder, target: '/data', readOnly: false },
            ],
          },
        );
        expect(ran.stdout).toBe('contentx\n');
        expect(await readFile(path.join(folder, 'out'), 'utf8')).toBe('written\n');
      });

      it('tells that what is to be mounted is not there, and can go on', async () => {
        const pod = await createPod();
        const mounts = [{ kind: 'bind', source: '/no/such', target: '/x', readOnly: true }] as const;
        const failing = pod.start(subject.container(['true'], { mounts }), recorder());
        await expect(failing).rejects.toMatchObject({ code: 'MOUNT_SOURCE_MISSING' });
        expect((await runIn(pod, ['true'])).exit).toEqual(done(0));
      });

      it('mounts a workspace over a read-only folder, whose changes stay in the upper folder', async () => {
        const [lower, upper] = [path.join(folder, 'checkout'), path.join(folder, 'changes')];
        await mkdir(lower);
        await writeFile(path.join(lower, 'source'), 'original');
        const workspace: Partial<ContainerSpec> = {
          workingDir: '/builds/project',
          mounts: [{ kind: 'overlay', lower: [lower], upper, target: '/builds/project' }],
        };
        await shell('cat source; echo changed > source; echo new > artifact', workspace);
        expect(await readFile(path.join(lower, 'source'), 'utf8')).toBe('original');
        expect((await shell('cat source artifact', workspace)).stdout).toBe('changed\nnew\n');
      });

      it('follows no link of the image out of its root', async () => {
        const layer = path.join(folder, 'hostile');
        await mkdir(path.join(layer, 'etc'), { recursive: true });
        const secret = path.join(folder, 'secret');
        await writeFile(secret, 'victim:x:4711:4711::/:/bin/sh\n');
        await symlink(secret, path.join(layer, 'etc/passwd'));
        await symlink(folder, path.join(layer, 'way-out'));
        const ran = await shell('true', {
          rootFs: { layers: [layer] },
          mounts: [{ kind: 'tmpfs', target: '/way-out/made-by-mount' }],
        });
        expect(ran.exit).toEqual(done(0));
        expect(await readdir(folder)).not.toContain('made-by-mount');
        const user = await shell('id -u', { rootFs: { layers: [layer] }, security: { user: 'victim' } });
        expect(user.exit).toMatchObject({ kind: 'couldNotStart' });
      });
    });

    group(skip.users ?? skip.accounts, 'accounts of the image', () => {
      it('looks names up in the image and gives the groups of the account', async () => {
        const layer = path.join(folder, 'accounts');
        await mkdir(path.join(layer, 'etc'), { recursive: true });
        await writeFile(
          path.join(layer, 'etc/passwd'),
          'root:x:0:0::/root:/bin/sh\napp:x:1001:1002::/home/app:/bin/sh\n',
        );
        await writeFile(path.join(layer, 'etc/group'), 'app:x:1002:\nextra:x:1003:app,other\n');
        const rootFs = { layers: [layer] };
        const ids = 'id -u; id -g; id -G; echo $HOME';
        expect((await shell(ids, { rootFs, security: { user: 'app' } })).stdout).toBe(
          '1001\n1002\n1002 1003\n/home/app\n',
        );
        expect((await shell(ids, { rootFs, security: { user: '1001' } })).stdout).toBe(
          '1001\n1002\n1002 1003\n/home/app\n',
        );
        expect(
          (await shell(ids, { rootFs, security: { user: '5:extra', supplementalGroups: [9] } })).stdout,
        ).toBe('5\n1003\n1003 9\n/\n');
      });

      it('tells an unknown user as the reason for not starting', async () => {
        const ran = await shell('true', { security: { user: 'nobody-here' } });
        expect(ran.exit).toMatchObject({ kind: 'couldNotStart' });
        expect(ran.exit.kind === 'couldNotStart' && ran.exit.message).toContain('nobody-here');
      });
    });

    group(skip.users, 'users', () => {
      it('lets a user other than root print, by name too', async () => {
        const ran = await shell('id -u >/dev/stdout', { security: { user: '1234' } });
        expect(ran).toMatchObject({ exit: done(0), stdout: '1234\n' });
      });
    });

    group(skip.isolation ?? skip.processTree, 'a process tree', () => {
      it('gives a process tree, host name and hosts file of the pod’s own', async () => {
        const pod = await createPod({ hostname: 'my-host', hosts: { database: '10.9.8.7' } });
        const ran = await runIn(pod, ['sh', '-c', 'echo $$; cat /proc/sys/kernel/hostname; cat /etc/hosts']);
        expect(ran.stdout).toMatch(/^1\nmy-host\n/);
        expect(ran.stdout).toMatch(/10\.9\.8\.7\s+database/);
      });
    });

    group(skip.isolation, 'isolation', () => {
      it('knows the names it was given', async () => {
        const pod = await createPod({ hostname: 'my-host', hosts: { database: '10.9.8.7' } });
        const ran = await runIn(pod, ['sh', '-c', 'cat /proc/sys/kernel/hostname /etc/hosts']);
        expect(ran.stdout).toMatch(/^my-host\n/);
        expect(ran.stdout).toMatch(/10\.9\.8\.7\s+database/);
      });

      it('gives the usual capabilities and changes them as asked', async () => {
        const script = status('CapEff');
        expect((await shell(script)).stdout.trim()).toBe('00000000a80425fb');
        const none = await shell(script, { security: { dropCapabilities: ['ALL'] } });
        expect(none.stdout.trim()).toBe('0000000000000000');
        const one = await shell(script, {
          security: { dropCapabilities: ['ALL'], addCapabilities: ['CAP_NET_ADMIN'] },
        });
        expect(one.stdout.trim()).toBe('0000000000001000');
      });

      it('filters system calls unless told not to, and can forbid gaining privileges', async () => {
        const script = `${status('Seccomp')}; ${status('NoNewPrivs')}`;
        expect((await shell(script)).stdout).toBe('2\n0\n');
        const strict = await shell(script, { security: { seccomp: false, allowPrivilegeEscalation: false } });
        expect(strict.stdout).toBe('0\n1\n');
      });

      it('refuses new namespaces and mounts', async () => {
        const ran = await shell('unshare -U true || echo no; mount -t tmpfs none /opt || echo no', {
          security: { addCapabilities: [] },
        });
        expect(ran.stdout).toBe('no\nno\n');
      });

      it('shows the usual devices and no others', async () => {
        const usual = 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero';
        // termination-log is Kubernetes' own.
        const { stdout } = await shell('echo $(ls /dev | grep -v termination-log)');
        expect(stdout).toBe(`${usual}\n`);
      });
    });

    group(skip.limits, 'limits', () => {
      it('tells when the memory limit was what ended a program', async () => {
        const ran = await runAlone(['sh', '-c', 'tail /dev/zero'], { resources: { memoryBytes: 64 << 20 } });
        expect(ran.exit).toMatchObject({ kind: 'exited', outOfMemory: true });
      });
    });

    group(skip.limits ?? skip.processCount, 'a limit of processes', () => {
      it('limits the number of processes', async () => {
        const ran = await shell('sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait', {
          resources: { processes: 3, cpuMillis: 500 },
        });
        expect(ran.stderr).toMatch(/fork/i);
      });
    });

    group(skip.limits, 'measures', () => {
      it('measures memory and time', async () => {
        const container = await startReady(
          await createPod(),
          'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready; exec sleep 60',
        );
        const stats = await container.stats();
        expect(stats.memoryBytes).toBeGreaterThan(10_000);
        expect(stats.cpuNanoseconds).toBeGreaterThan(1_000_000n);
        await container.stop(0);
        await expect(container.stats()).rejects.toMatchObject({ code: 'GONE' });
      });
    });

    group(skip.network, 'network', () => {
      it('lets pods reach each other by address, and containers of a pod by loopback', async () => {
        const [one, other] = [await createPod(), await createPod()];
        await startReady(one, `exec ${NODE_IN_CONTAINER} -e "${server}"`, { name: 'server' });
        expect(one.address).not.toBe(other.address);
        const ran = await runIn(other, client(`http://${one.address}:8080/`));
        expect(ran.stdout.trim()).toBe(`from ::ffff:${other.address}`);
        expect((await runIn(one, client('http://127.0.0.1:8080/'))).exit).toEqual(done(0));
      });
    });

    group(skip.network ?? skip.noNetwork, 'no network', () => {
      it('gives no way out to a pod without network', async () => {
        const pod = await createPod({ network: 'none' });
        expect(pod.address).toBeUndefined();
        const ran = await runIn(pod, ['sh', '-c', 'ls /sys/class/net']);
        expect(ran.stdout).toBe('lo\n');
      });
    });
  });
}
