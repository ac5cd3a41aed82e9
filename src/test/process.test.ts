import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packageDir } from '../lib/places.ts';
import { withFolder } from './testing/running-app.ts';

const main = path.join(packageDir, 'dist/main.js');
const running = new Set<ChildProcess>();

beforeAll(() => {
  if (!existsSync(main))
    spawnSync(process.execPath, [path.join(packageDir, 'scripts/build.mjs')], { stdio: 'inherit' });
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ended: Promise<number | string>;
  output(): string;
}

function start(command: readonly string[], config: string): Promise<Started> {
  const [program = '', ...first] = command;
  const child = spawn(program, [...first, main, '--config', config, '--port', '0', '--host', '127.0.0.1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal ?? '')),
  );
  return new Promise((resolve, reject) => {
    const listen = (data: Buffer) => {
      output += data.toString();
      const port = /"message":"STARTED".*?"port":(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve({ child, port: Number(port), ended, output: () => output });
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then((code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
}

async function withConfig(text: string, work: (file: string) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    const file = path.join(dir, 'config.yaml');
    await writeFile(file, text);
    await work(file);
  });
}

/** A request whose body never comes. */
function stuck(port: number): void {
  http
    .request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/addresses',
      headers: { 'content-length': 9 },
    })
    .on('error', () => undefined)
    .flushHeaders();
}

describe('the process', () => {
  it('drains on SIGTERM: not ready, still serving, then exit 0 with idle connections closed', () =>
    withConfig('shutdown: {drain_delay_ms: 400}', async (config) => {
      const service = await start([process.execPath], config);
      const agent = new http.Agent({ keepAlive: true });
      const status = (at: string) =>
        new Promise<number | undefined>((resolve, reject) => {
          const request = http.get({ port: service.port, host: '127.0.0.1', path: at, agent }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode));
          });
          request.on('error', reject);
        });
      expect(await status('/readyz')).toBe(200);
      service.child.kill('SIGTERM');
      await expect.poll(() => status('/readyz')).toBe(503);
      expect(await status('/addresses')).toBe(200);
      expect(await service.ended).toBe(0);
      await expect(status('/livez')).rejects.toThrow();
      expect(service.output()).toMatch(/"DRAINING"[\s\S]*"STOPPED"/);
      agent.destroy();
    }));

  it('finishes a request that came before SIGTERM', () =>
    withConfig('shutdown: {drain_delay_ms: 50}', async (config) => {
      const service = await start([process.execPath], config);
      // The client keeps its connection, as proxies do.
      const agent = new http.Agent({ keepAlive: true });
      const answer = new Promise<number | undefined>((resolve, reject) => {
        const request = http.request(
          {
            port: service.port,
            host: '127.0.0.1',
            method: 'POST',
            path: '/addresses',
            headers: { 'content-length': 17 },
            agent,
          },
          (response) => resolve(response.resume().statusCode),
        );
        request.on('error', reject);
        request.write('{"full_name"');
        setTimeout(() => service.child.kill('SIGTERM'), 100);
        setTimeout(() => request.end(':"A"}'), 400);
      });
      expect(await answer).toBe(201);
      const answeredAt = performance.now();
      expect(await service.ended).toBe(0);
      // Not by the grace that forces connections shut (10 s).
      expect(performance.now() - answeredAt).toBeLessThan(5000);
      agent.destroy();
    }));

  it('does not wait for ever, and ends at once when asked twice', () =>
    withConfig('shutdown: {drain_delay_ms: 20, grace_ms: 300}', async (config) => {
      const patient = await start([process.execPath], config);
      stuck(patient.port);
      await new Promise((resolve) => setTimeout(resolve, 100));
      patient.child.kill('SIGTERM');
      expect(await patient.ended).toBe(0);
      const asked = await start([process.execPath], config);
      stuck(asked.port);
      await new Promise((resolve) => setTimeout(resolve, 100));
      asked.child.kill('SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 100));
      asked.child.kill('SIGTERM');
      expect(await asked.ended).toBe(143);
    }));

  const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;
  it.skipIf(!canUnshare)('obeys SIGTERM as process 1 of a container', () =>
    withConfig('shutdown: {drain_delay_ms: 20}', async (config) => {
      const service = await start(['unshare', '--pid', '--fork', '--kill-child', process.execPath], config);
      // The namespace's first process is the only child of unshare.
      const inner = spawnSync('ps', ['--ppid', String(service.child.pid), '-o', 'pid='], {
        encoding: 'utf8',
      }).stdout.trim();
      process.kill(Number(inner), 'SIGTERM');
      expect(await service.ended).toBe(0);
      expect(service.output()).toContain('"STOPPED"');
    }),
  );

  it('refuses to start with one line and exit code 2', () =>
    withConfig('store: {kind: disk}', async (config) => {
      const wrong = spawnSync(process.execPath, [main, '--config', config], { encoding: 'utf8' });
      expect([wrong.status, wrong.stderr]).toEqual([
        2,
        expect.stringMatching(/^addrservice: .*config\.yaml: store .*\n$/),
      ]);
      const help = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
      expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('--config FILE')]);
      expect(spawnSync(process.execPath, [main], { encoding: 'utf8' }).status).toBe(2);
    }));
});
