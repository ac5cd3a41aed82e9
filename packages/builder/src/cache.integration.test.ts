import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOrThrow, silentLogger, systemClock } from '@updraft/kit';
import { exportOciLayout, openImageStore } from '@updraft/oci';
import { createBuilder } from './builder.ts';
import { openBench, TIME } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  expect(await bench.leftovers()).toEqual([]);
  await bench.close();
});

/** Builds a folder as it is now; tells how many steps came from the cache. */
async function build(folder: string, more = {}) {
  const { outcome } = await bench.build({}, { context: { kind: 'folder', path: folder }, ...more });
  if (outcome.kind === 'failed') throw new Error(outcome.message);
  return outcome;
}

describe('the cache', () => {
  test('a build that changes nothing does nothing, within 300 ms, hashing 2,000 files', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [
        `src/d${index % 40}/f${index}`,
        String(index).repeat(5000),
      ]),
    );
    const folder = await bench.context({
      ...files,
      Dockerfile: 'FROM tiny\nRUN echo x > /x\nWORKDIR /app\nCOPY . .\nRUN ls > /list\nENV A=b\n',
    });
    const cold = await build(folder);
    expect([cold.steps, cold.cachedSteps]).toEqual([4, 0]);
    // File digests are remembered once the files are old enough to be trusted.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await build(folder);
    // Other work on the machine stretches the time, so what is held to the limit is the processor's.
    const times: number[] = [];
    const walls: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const started = performance.now();
      const cpu = process.cpuUsage();
      const warm = await build(folder);
      walls.push(performance.now() - started);
      const { user, system } = process.cpuUsage(cpu);
      times.push((user + system) / 1000);
      expect([warm.steps, warm.cachedSteps, warm.image.digest]).toEqual([4, 4, cold.image.digest]);
    }
    console.info(
      `cached build with 2,000 files: ${Math.min(...walls).toFixed(0)} ms, ${Math.min(...times).toFixed(0)} ms CPU`,
    );
    expect(Math.min(...times)).toBeLessThan(300);
  });

  test('content decides, not time and size', async () => {
    const folder = await bench.context({ Dockerfile: 'FROM tiny\nCOPY f /f\n', f: 'one' });
    const file = path.join(folder, 'f');
    await utimes(file, 1000, 1000);
    await build(folder);
    await utimes(file, 2000, 2000);
    expect((await build(folder)).cachedSteps).toBe(1);
    await writeFile(file, 'two');
    await utimes(file, 2000, 2000);
    expect((await build(folder)).cachedSteps).toBe(0);
    await runOrThrow('chmod', ['755', file]);
    expect((await build(folder)).cachedSteps).toBe(0);
  });

  test.each([
    ['a label', 'LABEL a=1', 'LABEL a=2', 1],
    ['a variable the command sees', 'ENV A=1', 'ENV A=2', 0],
    ['an argument the command sees', 'ARG G=1', 'ARG G=2', 0],
    ['the user', 'USER app', 'USER 0', 0],
    ['the shell', 'SHELL ["/bin/sh", "-c"]', 'SHELL ["/bin/sh", "-ec"]', 0],
  ])('%s', async (_, before, after, cached) => {
    await bench.build({ Dockerfile: `FROM tiny\n${before}\nRUN : > /tmp/x || true\n` });
    const { outcome } = await bench.build({ Dockerfile: `FROM tiny\n${after}\nRUN : > /tmp/x || true\n` });
    expect(outcome).toMatchObject({ kind: 'built', steps: 1, cachedSteps: cached });
  });

  test('a stage that was made again with the same result does not spoil what copies from it', async () => {
    const Dockerfile =
      'FROM tiny AS s\nARG N\nRUN echo same > /same; echo $N > /other\nFROM tiny\nCOPY --from=s /same /same\n';
    await bench.build({ Dockerfile }, { buildArgs: { N: '1' } });
    const { outcome } = await bench.build({ Dockerfile }, { buildArgs: { N: '2' } });
    expect(outcome).toMatchObject({ steps: 2, cachedSteps: 1 });
  });

  test('an argument that only another stage declares changes nothing', async () => {
    const Dockerfile =
      'FROM tiny AS a\nARG N\nRUN echo $N > /n\nFROM tiny AS b\nRUN echo b > /b\nFROM scratch\nCOPY --from=a /n /\nCOPY --from=b /b /\n';
    await bench.build({ Dockerfile }, { buildArgs: { N: '1' } });
    const { outcome } = await bench.build({ Dockerfile }, { buildArgs: { N: '2' } });
    // b's RUN; and the copy of /b stands on another layer now.
    expect(outcome).toMatchObject({ steps: 4, cachedSteps: 1 });
  });

  test('is not believed when a layer is gone, nor when it was not asked for', async () => {
    const Dockerfile = 'FROM tiny\nRUN echo gone > /gone\n';
    const first = await bench.built({ Dockerfile });
    const again = await bench.build({ Dockerfile }, { cache: false });
    expect(again.outcome).toMatchObject({ cachedSteps: 0 });
    const { store } = bench.options;
    await store.untag('tiny');
    await store.tag('tiny', bench.base.digest);
    const layer = first.layers.at(-1);
    if (!layer) throw new Error('no layer');
    await rm(store.blobs.path(layer.diffId));
    const { outcome } = await bench.build({ Dockerfile });
    expect(outcome).toMatchObject({ kind: 'built', cachedSteps: 0 });
  });

  test('equal steps of two builds at once are done once', async () => {
    const Dockerfile = 'FROM tiny\nRUN sleep 1; echo once > /once\n';
    const results = await Promise.all([bench.build({ Dockerfile }), bench.build({ Dockerfile })]);
    expect(
      results
        .map(({ outcome }) => outcome.kind === 'built' && outcome.cachedSteps)
        .toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual([0, 1]);
  });
});

describe('stages', () => {
  test('only those that the target needs are built', async () => {
    const Dockerfile =
      'FROM tiny AS a\nRUN echo a > /a\nFROM nowhere AS unused\nRUN exit 1\nFROM a AS b\nCOPY f /f\nFROM b\nRUN exit 1\n';
    for (const target of ['b', 'B', '2']) {
      const { outcome } = await bench.build({ Dockerfile, f: 'f' }, { target });
      expect(outcome.kind).toBe('built');
    }
    const { outcome } = await bench.build({ Dockerfile, f: 'f' }, { target: 'c' });
    expect(outcome).toMatchObject({
      message: 'Dockerfile: there is no stage c; did you mean a?',
    });
  });

  test.each([
    [
      'FROM tiny AS a\nCOPY --from=b /x /\nFROM a AS b\n',
      /2:1: --from=b is a stage that comes later; it has to stand above\n/,
    ],
    ['FROM nowhere\n', /1:1: the image nowhere cannot be had: no such image here/],
    ['FROM ${NOTHING}\n', /1:6: \$\{NOTHING\} is empty/],
    ['FROM ${A?needed}\n', /1:6: .*A: needed/],
    [
      'FROM tiny\nRUN\nCOPPY a\n',
      /2:1: RUN needs an argument\n {2}2 \| RUN\nDockerfile:3:1: unknown instruction COPPY/,
    ],
    ['', /1:1: the file has no instruction/],
    ['FROM tiny\nEXPOSE 99999\n', /2:8: 99999 is no port/],
    ['FROM tiny\nHEALTHCHECK --interval=often CMD x\n', /2:13: --interval=often is no duration/],
  ])('%j fails and says why', async (Dockerfile, message) => {
    const { outcome } = await bench.build({ Dockerfile });
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringMatching(message) as string });
  });

  test('config of all kinds, inherited, and triggers fire once', async () => {
    const parent = await bench.built(
      {
        Dockerfile: `FROM tiny
ENV A=1 B="two words"
LABEL l="x y" m=$A
EXPOSE 80 53/udp 8000-8001
VOLUME ["/v"]
USER app
WORKDIR /w
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1m30s --retries=3 CMD curl x
MAINTAINER me
ENTRYPOINT ["e"]
CMD c "$A"
ONBUILD COPY f /from-trigger
ONBUILD ENV TRIGGERED=yes
`,
      },
      { tags: ['parent:1'], labels: { given: 'g' } },
    );
    expect(parent.config).toMatchObject({
      created: new Date(TIME).toISOString(),
      author: 'me',
      config: {
        Env: ['PATH=/usr/bin', 'A=1', 'B=two words'],
        Labels: { l: 'x y', m: '1', given: 'g' },
        ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
        Volumes: { '/v': {} },
        User: 'app',
        WorkingDir: '/w',
        StopSignal: 'SIGINT',
        Healthcheck: { Test: ['CMD-SHELL', 'curl x'], Interval: 90e9, Retries: 3 },
        Entrypoint: ['e'],
        Cmd: ['/bin/sh', '-c', 'c "$A"'],
        OnBuild: ['COPY f /from-trigger', 'ENV TRIGGERED=yes'],
      },
    });
    const child = await bench.built({ Dockerfile: 'FROM parent:1\nENTRYPOINT ["other"]\n', f: 'f' });
    expect(child.config.config).toMatchObject({
      Entrypoint: ['other'],
      Env: ['PATH=/usr/bin', 'A=1', 'B=two words', 'TRIGGERED=yes'],
    });
    expect(child.config.config).not.toHaveProperty('Cmd');
    expect(child.config.config).not.toHaveProperty('OnBuild');
    expect(await bench.added(child)).toContain('644 0:0 from-trigger = "f"');
    const layers = child.config.history?.filter((entry) => entry.empty_layer !== true);
    expect(layers).toHaveLength(child.layers.length);
  });
});

test('other tools read what was built', async () => {
  const image = await bench.built({
    Dockerfile: 'FROM tiny\nRUN rm -r /home && echo x > /x\nLABEL a=b\nUSER app\n',
  });
  const layout = path.join(bench.options.dir, 'layout');
  await exportOciLayout(bench.options.store, image, layout, 'test');
  const inspected = JSON.parse(await runOrThrow('skopeo', ['inspect', `oci:${layout}:test`])) as Record<
    string,
    unknown
  >;
  expect(inspected).toMatchObject({ Labels: { a: 'b' }, Os: 'linux' });
  const bundle = path.join(bench.options.dir, 'bundle');
  await runOrThrow('umoci', ['unpack', '--image', `${layout}:test`, bundle]);
  expect(await readFile(path.join(bundle, 'rootfs/x'), 'utf8')).toBe('x\n');
  const config = JSON.parse(await readFile(path.join(bundle, 'config.json'), 'utf8')) as {
    process: { user: object };
  };
  expect(config.process.user).toMatchObject({ uid: 500, gid: 600 });
  await expect(readFile(path.join(bundle, 'rootfs/home'))).rejects.toThrow('ENOENT');
});

test('SOURCE_DATE_EPOCH is the time of everything', async () => {
  const Dockerfile = 'FROM tiny\nARG SOURCE_DATE_EPOCH\nRUN echo $SOURCE_DATE_EPOCH > /t\n';
  const image = await bench.built({ Dockerfile }, { buildArgs: { SOURCE_DATE_EPOCH: '86400' } });
  expect(image.config.created).toBe('1970-01-02T00:00:00.000Z');
});

test('the example of the README', async () => {
  const folder = await bench.context({ Dockerfile: 'FROM tiny\nCOPY missing /\n' });
  const builder = createBuilder({ ...bench.options, dir: path.join(bench.options.dir, 'readme') });
  const lines: string[] = [];
  const outcome = await builder.build({
    context: { kind: 'folder', path: folder },
    dockerfile: 'Dockerfile',
    cache: true,
    timestampMs: 0,
    onLog: (line) => lines.push(line),
  });
  builder.close();
  expect(outcome.kind === 'failed' && outcome.message.split('\n')[0]).toBe(
    'Dockerfile:2:6: missing is not in the build context, or .dockerignore leaves it out',
  );
});

test('layers of the cache are kept from pruning, or their steps are done again', async () => {
  const { store } = bench.options;
  const folder = await bench.context({
    Dockerfile: 'FROM tiny\nRUN echo kept > /kept\nCOPY f /f\n',
    f: 'kept',
  });
  const { image } = await build(folder);
  const made = image.layers.slice(1).map(({ diffId }) => diffId);
  expect(bench.builder.cachedLayers()).toEqual(expect.arrayContaining(made));
  // What came in just now is on its way somewhere: only later can it be pruned.
  const clock = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 };
  const later = await openImageStore(store.dir, { clock, logger: silentLogger });
  await later.prune(bench.builder.cachedLayers());
  expect((await build(folder)).cachedSteps).toBe(2);
  await later.prune();
  expect((await build(folder)).cachedSteps).toBe(0);
  later.close();
});
