import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger, start, systemClock } from '@updraft/kit';
import { KEYWORDS } from '@updraft/dockerfile';
import { openImageStore } from '@updraft/oci';
import type { ImageStore } from '@updraft/oci';
import { openTestPlatform } from '@updraft/pods/testing';
import { createBuilder } from './builder.ts';
import { openBench } from './testing/bench.ts';
import { tinyImage } from './testing/tiny-image.ts';

const PROGRAM = fileURLToPath(new URL('./testing/kill-program.ts', import.meta.url));
/** More of them are for a patient person: KILLS=50. */
const KILLS = Number(process.env['KILLS'] ?? 8);

const DOCKERFILE = `FROM tiny AS one
ARG N
COPY . /c/
RUN echo $N > /n && mkdir -p /big && for i in 1 2 3 4 5 6 7 8; do cat /c/* > /big/$i; done && rm /c/f1
FROM tiny AS two
ARG N
RUN --mount=type=cache,target=/cache echo $N >> /cache/log; echo $N > /m
FROM one
COPY --from=two --link /m /m
ADD <<E /e
$N
E
`;

/** Builds number 0 in a folder where builders were killed, or in a fresh one. */
async function buildOnce(dir: string): Promise<{ digest: string; verified: number }> {
  const store = await openImageStore(path.join(dir, 'store'), { clock: systemClock, logger: silentLogger });
  const platform = await openTestPlatform();
  const builder = createBuilder({
    store,
    runtime: platform.runtime,
    clock: systemClock,
    logger: silentLogger,
    dir: path.join(dir, 'builder'),
    images: { resolve: async () => ({ image: await tinyOf(store) }) },
  });
  try {
    await builder.sweep();
    const outcome = await builder.build({
      context: { kind: 'folder', path: path.join(dir, 'context') },
      dockerfile: 'Dockerfile',
      buildArgs: { N: '0' },
      cache: true,
      timestampMs: 0,
      onLog: () => undefined,
    });
    if (outcome.kind === 'failed') throw new Error(outcome.message);
    return { digest: outcome.image.digest, verified: await verify(store) };
  } finally {
    builder.close();
    await platform.close();
    store.close();
  }
}

async function tinyOf(store: ImageStore) {
  const image = await store.get('tiny');
  if (!image) throw new Error('tiny is gone');
  return image;
}

/** Reads every layer of every image, which checks its digest, and shows its folder. */
async function verify(store: ImageStore): Promise<number> {
  const images = await store.list();
  for (const { digest } of images) {
    const image = await store.get(digest);
    for (const layer of image?.layers ?? [])
      for await (const chunk of await store.layerTar(layer)) expect(chunk).toBeDefined();
    await store.layerFolders(image?.layers ?? []);
  }
  return images.length;
}

test(
  `a builder that is killed at ${KILLS} random points leaves a store that is whole`,
  async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'updraft-kill-'));
    const id = randomBytes(3).toString('hex');
    await mkdir(path.join(dir, 'context'));
    await writeFile(path.join(dir, 'context/Dockerfile'), DOCKERFILE);
    for (let file = 0; file < 60; file += 1)
      await writeFile(path.join(dir, `context/f${file}`), `${file}`.repeat(2000));
    const store = await openImageStore(path.join(dir, 'store'), { clock: systemClock, logger: silentLogger });
    await store.tag('tiny', (await tinyImage(store)).digest);
    store.close();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const args = ['--import', 'tsx', PROGRAM, id, dir, String(kill * 1000)];
      const child = await start(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout ?? process.stdin, 'data');
      await sleep(Math.random() * 1500);
      process.kill(child.pid, 'SIGKILL');
      await child.exited;
    }
    const left = await openTestPlatform({ id, dir: path.join(dir, 'platform') });
    await left.close();
    const after = await buildOnce(dir);
    expect(after.verified).toBeGreaterThan(1);
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    expect(mounts.split('\n').filter((line) => line.includes(dir))).toEqual([]);
    // What was built in ruins is what is built on clean ground.
    const fresh = await mkdtemp(path.join(tmpdir(), 'updraft-fresh-'));
    await mkdir(path.join(fresh, 'context'));
    await writeFile(path.join(fresh, 'context/Dockerfile'), DOCKERFILE);
    for (let file = 0; file < 60; file += 1)
      await writeFile(path.join(fresh, `context/f${file}`), `${file}`.repeat(2000));
    const clean = await openImageStore(path.join(fresh, 'store'), {
      clock: systemClock,
      logger: silentLogger,
    });
    await clean.tag('tiny', (await tinyImage(clean)).digest);
    clean.close();
    expect((await buildOnce(fresh)).digest).toBe(after.digest);
    await rm(dir, { recursive: true });
    await rm(fresh, { recursive: true });
  },
  60_000 + KILLS * 20_000,
);

test('a Dockerfile that is too much fails, and at its line', async () => {
  const bench = await openBench();
  const doubled = `FROM scratch\nENV a=${'x'.repeat(16)}\n${'ENV a=$a$a\n'.repeat(40)}`;
  const labels = `FROM scratch\n${'LABEL a=b\n'.repeat(35_000)}`;
  try {
    for (const [text, message] of [
      [doubled, /^Dockerfile:\d+:\d+: .*longer than 1 MiB/],
      [labels, /^Dockerfile:\d+:1: .*more than the history/],
      [`FROM scratch\nWORKDIR /${'x'.repeat(300)}\n`, /^Dockerfile:2:1: .*longer than a file/],
      [`FROM scratch\nCOPY Dockerfile /${'x/'.repeat(3000)}\n`, /^Dockerfile:2:6: .*longer than a file/],
      ['FROM scratch\nADD Dockerfile /a\0b\n', /^Dockerfile:2:5: .*NUL/],
      [`FROM scratch\n#${'x'.repeat(17 * 1024 * 1024)}\n`, /larger than 16777216/],
    ] as const) {
      const { outcome } = await bench.build({ Dockerfile: text });
      expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringMatching(message) as string });
    }
    const stages = Array.from({ length: 12_000 }, (_, index) => `FROM s${index} AS s${index + 1}\n`);
    const { outcome } = await bench.build({ Dockerfile: `FROM scratch AS s0\n${stages.join('')}ENV a=b\n` });
    expect(outcome.kind).toBe('built');
  } finally {
    await bench.close();
  }
}, 120_000);

test('no Dockerfile makes the builder throw or hang', async () => {
  const bench = await openBench();
  const word = fc.oneof(
    fc.constantFrom(
      'a',
      '/',
      '.',
      '..',
      '$A',
      '${A:-',
      '${A#*}',
      '"',
      "'",
      '\\',
      '<<E',
      '[]',
      '["a"]',
      '--',
      '=',
    ),
    fc.constantFrom(
      '--from=0',
      '--from=a',
      '--link',
      '--parents',
      '--chmod=x',
      '--chown=:',
      '--exclude=**',
      '--platform=$A',
    ),
    fc.constantFrom(
      '--mount=type=cache',
      '--mount=target=/x,from=9',
      '--network=x',
      'A=b',
      'E',
      '*',
      '**/.',
      'AS',
      'tiny',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  // A command that runs would take its time: those here are of forms that are refused or end at once.
  const line = fc
    .tuple(
      fc.constantFrom(...KEYWORDS.filter((keyword) => keyword !== 'RUN'), 'RUN --mount=x', 'RUN []'),
      fc.array(word, { maxLength: 4 }),
    )
    .map(([keyword, words]) => `${keyword} ${words.join(' ')}`);
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const { outcome } = await bench.build({ a: 'a', Dockerfile: `FROM tiny AS a\n${lines.join('\n')}` });
        expect(['built', 'failed']).toContain(outcome.kind);
      }),
      { numRuns: 150 },
    );
    expect(await bench.leftovers()).toEqual([]);
  } finally {
    await bench.close();
  }
});
