/* oxlint-disable no-restricted-imports -- the room itself needs no pods; this test needs a real runtime for its builder. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger, systemClock } from '@updraft/kit';
import { createBuilder } from '@updraft/builder';
import type { Builder } from '@updraft/builder';
import { temporaryStore } from '@updraft/oci/testing';
import type { TemporaryStore } from '@updraft/oci/testing';
import { openTestPlatform } from '@updraft/pods/testing';
import type { TestPlatform } from '@updraft/pods/testing';
import { createStandIns } from './make.ts';
import type { StandIns } from './types.ts';

let temporary: TemporaryStore;
let platform: TestPlatform;
let builder: Builder;
let standIns: StandIns;
let folder: string;

beforeAll(async () => {
  temporary = await temporaryStore();
  platform = await openTestPlatform();
  folder = await mkdtemp(path.join(tmpdir(), 'updraft-stand-ins-'));
  builder = createBuilder({
    store: temporary.store,
    runtime: platform.runtime,
    clock: systemClock,
    logger: silentLogger,
    dir: path.join(folder, 'builder'),
    images: {
      async resolve(reference, { onLog }) {
        const standIn = standIns.find(reference);
        if (!standIn) throw new Error(`no stand-in for ${reference}`);
        return { image: await standIns.make(standIn, onLog), note: standIn.note };
      },
    },
  });
  await writeFile(
    path.join(folder, 'hadolint.mjs'),
    '#!/usr/bin/env node\nconsole.log("the entry point");\n',
  );
  standIns = createStandIns({
    store: temporary.store,
    builder,
    clock: systemClock,
    dir: path.join(folder, 'making'),
    toolsDir: folder,
  });
});

afterAll(async () => {
  builder.close();
  await platform.close();
  await temporary.remove();
  await rm(folder, { recursive: true, force: true });
});

/** What commands print in an image. */
async function inside(image: string, command: string, user = '0'): Promise<string[]> {
  const lines: string[] = [];
  const outcome = await builder.build({
    context: { kind: 'empty' },
    dockerfile: 'test',
    dockerfileText: `FROM ${image}\nUSER ${user}\nRUN ${command}\n`,
    cache: true,
    timestampMs: 0,
    onLog: (line) => lines.push(line),
  });
  if (outcome.kind === 'failed') throw new Error(`${outcome.message}\n${lines.slice(-20).join('\n')}`);
  return lines;
}

test(
  'Debian, Node on it and a tool on that are made once, and do what they are for',
  { timeout: 600_000 },
  async () => {
    const lines = await inside(
      'hadolint/hadolint:v2.12.0',
      'hadolint && node --version && npm --version && id node && grep -c . /etc/apt/sources.list && ls /usr/share/doc/apt/copyright',
    );
    const at = lines.indexOf('the entry point');
    expect(lines.slice(at + 1)).toEqual([
      expect.stringMatching(/^v24\./),
      expect.stringMatching(/^11\./),
      'uid=1000(node) gid=1000(node) groups=1000(node)',
      '3',
      '/usr/share/doc/apt/copyright',
    ]);
    expect(lines).toContain(
      'node:24-bookworm-slim: stand-in for node:24-bookworm-slim: Node 24 from npm on Debian bookworm',
    );
    const started = performance.now();
    const again = await inside('node:24-bookworm-slim', 'node -p 6*7');
    expect(again).toContain('42');
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(await readdir(path.join(folder, 'making'))).toEqual([]);
    const names = (await temporary.store.list()).map(({ name }) => name);
    expect(names.every((name) => name.startsWith('stand-in.invalid/'))).toBe(true);
  },
);

test('nginx without privileges serves pages as its user', { timeout: 600_000 }, async () => {
  const lines = await inside(
    'nginxinc/nginx-unprivileged:1.27-bookworm',
    `nginx && bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /nope HTTP/1.0\\r\\n\\r\\n" >&3; head -1 <&3'`,
    '101',
  );
  expect(lines.some((line) => line.includes('404 Not Found'))).toBe(true);
});
