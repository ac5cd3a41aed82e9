import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBench } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';
import type { BuildRequest } from './types.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  expect(await bench.leftovers()).toEqual([]);
  await bench.close();
});

async function configOf(dockerfile: string, request?: Partial<BuildRequest>) {
  return (await bench.built({ Dockerfile: dockerfile }, request)).config;
}

describe('what an image says about itself', () => {
  test.each([
    ['CMD []', { Cmd: undefined }],
    ['CMD a b', { Cmd: ['/bin/sh', '-c', 'a b'], ArgsEscaped: true }],
    ['CMD ["a"]\nENTRYPOINT ["b"]', { Cmd: ['a'], Entrypoint: ['b'] }],
    ['ENTRYPOINT b', { Cmd: undefined, Entrypoint: ['/bin/sh', '-c', 'b'] }],
    ['SHELL ["x", "-y"]\nCMD a', { Shell: ['x', '-y'], Cmd: ['x', '-y', 'a'] }],
    [
      'EXPOSE 8080 53/UDP 1-3',
      { ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '1/tcp': {}, '2/tcp': {}, '3/tcp': {} } },
    ],
    ['ENV P="80 81"\nEXPOSE $P 9:90/sctp', { ExposedPorts: { '80/tcp': {}, '81/tcp': {}, '90/sctp': {} } }],
    ['VOLUME ["/a", " /b "]\nVOLUME /c /d', { Volumes: { '/a': {}, '/b': {}, '/c': {}, '/d': {} } }],
    ['STOPSIGNAL sigquit', { StopSignal: 'sigquit' }],
    ['STOPSIGNAL RTMIN+3', { StopSignal: 'RTMIN+3' }],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
    [
      'HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0 --start-interval=10ms --retries=0 CMD a b',
      { Healthcheck: { Test: ['CMD-SHELL', 'a b'], Interval: 90e9, Timeout: 1.5e9, StartInterval: 1e7 } },
    ],
    [
      'ONBUILD  run   echo  --x\nONBUILD COPY <<E /\nb\nE',
      { OnBuild: ['run   echo  --x', 'COPY <<E /\nb\nE'] },
    ],
    ['LABEL a=1 "b c"="d e"\nLABEL f g  h', { Labels: { a: '1', 'b c': 'd e', f: 'g  h' } }],
    ['WORKDIR /a\nWORKDIR b/../c\nWORKDIR $NONE', { WorkingDir: '/a/c' }],
    ['WORKDIR /a/', { WorkingDir: '/a/' }],
    ['WORKDIR /a/../b/\nWORKDIR c/', { WorkingDir: '/b/c' }],
    ['USER app', { User: 'app' }],
  ])('%s', async (line, expected) => {
    const { config } = await configOf(`FROM tiny\n${line}\n`);
    for (const [name, value] of Object.entries(expected))
      expect(config?.[name as keyof typeof config]).toEqual(value);
  });

  test.each([
    ['EXPOSE 70000', /2:8: 70000 is no port/],
    ['EXPOSE 1/icmp', /is no port/],
    ['STOPSIGNAL NOPE', /2:1: NOPE is no signal/],
    ['STOPSIGNAL 0', /0 is no signal/],
    ['HEALTHCHECK --interval=1us CMD a', /2:13: --interval=1us is shorter than 1ms/],
    ['HEALTHCHECK --retries=-1 CMD a', /--retries needs a number/],
    ['HEALTHCHECK --timeout=soon CMD a', /is no duration/],
    ['VOLUME ["/a", ""]', /a volume needs a path/],
    ['RUN []', /2:5: RUN needs a command/],
  ])('%s', async (line, message) => {
    const { outcome } = await bench.build({ Dockerfile: `FROM tiny\n${line}\n` });
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringMatching(message) as string });
  });

  test('history is as BuildKit writes it', async () => {
    const { history = [], author } = await configOf(
      `FROM scratch
MAINTAINER me <a@b>
ARG A=1 B
ENV X="y z" W=$A
LABEL l=$W
WORKDIR /w
COPY --chown=1:2 <<E a/
E
EXPOSE 2 1
CMD ["a", "b"]
ENTRYPOINT x
VOLUME /v
USER 3
ONBUILD RUN x
`,
    );
    expect(author).toBe('me <a@b>');
    expect(history.map(({ created_by: text, empty_layer: empty }) => `${empty ? '' : '+'}${text}`)).toEqual([
      'MAINTAINER me <a@b>',
      'ARG A=1 B',
      'ENV X=y z W=1',
      'LABEL l=1',
      '+WORKDIR /w',
      '+COPY --chown=1:2 <<E a/ # buildkit',
      'EXPOSE [1/tcp 2/tcp]',
      'CMD ["a" "b"]',
      'ENTRYPOINT ["/bin/sh" "-c" "x"]',
      'VOLUME [/v]',
      'USER 3',
    ]);
    const run = await configOf('FROM tiny\nARG A=1\nARG HTTP_PROXY\nENV A=2\nRUN true\n', {
      buildArgs: { HTTP_PROXY: 'http://user:secret@proxy' },
    });
    expect(run.history?.at(-1)?.created_by).toBe(
      'RUN |2 A=2 HTTP_PROXY=http://user:secret@proxy /bin/sh -c true # buildkit',
    );
    const undeclared = await configOf('FROM tiny\nRUN true\n', {
      buildArgs: { HTTPS_PROXY: 'http://u:secret@p' },
    });
    expect(JSON.stringify(undeclared)).not.toContain('secret');
  });

  test.each(['x', '///', 'linux/', 'windows/amd64', ''])(
    'a platform that is none, %j, fails the build',
    async (platform) => {
      const { outcome } = await bench.build(
        { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' },
        { platform },
      );
      expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('linux/amd64') });
    },
  );

  test('the platform that was asked for', async () => {
    const arm = await configOf(
      'FROM scratch\nARG TARGETPLATFORM TARGETVARIANT BUILDOSVERSION TARGETSTAGE\nLABEL p=$TARGETPLATFORM-$TARGETVARIANT-$BUILDOSVERSION-$TARGETSTAGE\n',
      {
        platform: 'linux/arm/v7',
      },
    );
    expect(arm).toMatchObject({
      os: 'linux',
      architecture: 'arm',
      variant: 'v7',
      config: { Labels: { p: 'linux/arm/v7-v7--default' } },
    });
    for (const [flag, message] of [
      ['$NONE', 'is empty'],
      ['Linux/X!', 'is no platform'],
    ]) {
      const { outcome } = await bench.build({ Dockerfile: `FROM --platform=${flag} tiny\n` });
      expect(outcome).toMatchObject({ message: expect.stringContaining(message ?? '') as string });
    }
  });
});

describe('variables', () => {
  const shown = async (dockerfile: string, request?: Partial<BuildRequest>) =>
    (await configOf(dockerfile, request)).config?.Labels?.['l'];

  test('of ENV and ARG the later one holds, in the command and in words', async () => {
    expect(await shown('FROM scratch\nENV A=env\nARG A=arg\nLABEL l=$A\n')).toBe('arg');
    expect(await shown('FROM scratch\nARG A=arg\nENV A=env\nLABEL l=$A\n')).toBe('env');
    expect(await shown('FROM scratch\nENV A=env\nARG A\nLABEL l=$A\n')).toBe('env');
    expect(await shown('FROM scratch\nENV A=env\nARG A\nLABEL l=$A\n', { buildArgs: { A: 'given' } })).toBe(
      'given',
    );
    expect((await configOf('FROM scratch\nENV A=env\nARG A=arg\n')).config?.Env).toContain('A=env');
  });

  test('a stage on another sees its arguments, and its ENV before them', async () => {
    const file = 'FROM scratch AS a\nENV E=env\nARG E=arg F=f\nFROM a\nLABEL l=$E-$F\n';
    expect(await shown(file)).toBe('env-f');
  });

  test('global ones are seen only where they are declared again; a default of a stage wins over none', async () => {
    const file = 'ARG G=global T=$G-$TARGETARCH\nFROM scratch\nLABEL a=$G\nARG G\nARG T\nLABEL l=$G/$T\n';
    expect(await shown(file, { platform: 'linux/s390x' })).toBe('global/global-s390x');
    expect(await shown('ARG G=global\nFROM scratch\nARG G=own\nLABEL l=$G\n')).toBe('own');
    expect(
      await shown('FROM scratch\nARG TARGETARCH\nLABEL l=$TARGETARCH\n', { buildArgs: { TARGETARCH: 'x' } }),
    ).toBe('x');
  });
});

test('a single layer above the base does what many did, and the history still tells all', async () => {
  const files = {
    Dockerfile:
      'FROM tiny AS first\nCOPY a /a\nRUN rm -r /a/b && mkdir /c && echo c > /c/c\nFROM first\nENV E=1\nRUN rm /c/c\nCOPY a/b/x /x\n',
    'a/b/x': 'x',
    'a/y': 'y',
  };
  const many = await bench.built(files);
  const one = await bench.built(files, { singleLayer: true });
  const base = bench.base.layers.length;
  expect([many.layers.length, one.layers.length]).toEqual([base + 4, base + 1]);
  expect(await bench.added(one)).toEqual(await bench.added(many));
  expect(one.config.config).toEqual(many.config.config);
  const told = (image: typeof one) => image.config.history?.map(({ created_by: by }) => by);
  expect(told(one)).toEqual([...(told(many) ?? []), 'one layer of 4']);
  expect(one.config.history?.filter(({ empty_layer: empty }) => empty !== true)).toHaveLength(base + 1);
  expect((await bench.built(files, { singleLayer: true, cache: false })).digest).toBe(one.digest);
  // One step needs no squashing, and changes nothing.
  const little = { Dockerfile: 'FROM tiny\nENV A=1\nRUN echo > /x\n' };
  expect((await bench.built(little, { singleLayer: true })).digest).toBe((await bench.built(little)).digest);
});
