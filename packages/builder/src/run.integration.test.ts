import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openBench } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterEach(async () => {
  expect(await bench.leftovers()).toEqual([]);
});
afterAll(async () => {
  await bench.close();
});

/** The output of the commands of a build, without the builder's own lines. */
async function output(dockerfile: string, files = {}, request = {}): Promise<string[]> {
  const { outcome, log } = await bench.build({ Dockerfile: dockerfile, ...files }, request);
  expect(outcome).toMatchObject({ kind: 'built' });
  return log.filter((line) => !line.startsWith('['));
}

describe('RUN', () => {
  test('sees ENV and the arguments declared so far, of its own stage only', async () => {
    const lines = await output(
      `ARG GLOBAL=g
FROM tiny AS one
ARG SECRET_OF_ONE=1
ARG GLOBAL
RUN echo "$GLOBAL-$SECRET_OF_ONE-$LATER" > /out
ARG LATER=late
FROM tiny
ARG A=default B=default
ENV B=env
COPY --from=one /out /out
RUN cat /out; echo "$A|$B|$SECRET_OF_ONE|$GLOBAL"
`,
      {},
      { buildArgs: { A: 'given', B: 'given', UNUSED: 'x' } },
    );
    expect(lines).toEqual(['g-1-', 'given|env||', 'warning: no ARG asks for the build argument UNUSED']);
  });

  test('runs as USER, in WORKDIR, through SHELL, and as JSON without one', async () => {
    const lines = await output(`FROM tiny
USER app:other
WORKDIR /work
RUN id; stat -c %U:%G /work; pwd
SHELL ["/bin/sh", "-e", "-c"]
RUN echo $-
RUN ["/bin/sh", "-c", "echo $0", "zero"]
`);
    expect(lines).toEqual([
      expect.stringMatching(/^uid=500\(app\) gid=700\(other\)/),
      'app:other',
      '/work',
      expect.stringContaining('e'),
      'zero',
    ]);
  });

  test('leaves the folders of the system in an image that has none, once', async () => {
    const image = await bench.built({
      Dockerfile: `FROM scratch
COPY --from=tiny --exclude=dev --exclude=proc --exclude=sys / /
WORKDIR /w/
RUN --mount=type=tmpfs,target=/dev/x true
RUN pwd
`,
    });
    const lines = await bench.files(image.layers);
    expect(lines.filter((line) => /(dev|proc|sys)\//.test(line))).toEqual([
      '755 0:0 dev/',
      '755 0:0 proc/',
      '755 0:0 sys/',
    ]);
    expect(image.layers).toHaveLength(4);
  });

  test('here-documents: alone, with an interpreter, read by the command', async () => {
    const lines = await output(`FROM tiny
ARG X=x
RUN <<EOF
echo "one $X"
echo two
EOF
RUN <<EOF
#!/usr/bin/cat
the file itself
EOF
RUN cat <<'A' - <<-B
$X
A
	tab
	B
`);
    expect(lines).toEqual(['one x', 'two', '#!/usr/bin/cat', 'the file itself', 'tab']);
  });

  test('mounts: cache stays, tmpfs and bind do not, secrets are in no layer', async () => {
    const dockerfile = `FROM tiny AS other
RUN echo from-stage > /f
FROM tiny
RUN --mount=type=cache,target=/cache,id=c echo hit >> /cache/log; cat /cache/log
RUN --mount=type=tmpfs,target=/t,size=1m echo x > /t/x
RUN --mount=type=bind,from=other,source=/f,target=/mnt/f --mount=target=/ctx cat /mnt/f /ctx/sub/file; ls /ctx; (echo no > /ctx/x) 2>&1 || true
RUN --mount=type=secret,id=key --mount=type=secret,id=key,env=KEY stat -c %a /run/secrets/key; [ "$KEY" = hunter2 ] && echo same
RUN ls -A /cache /t /mnt /ctx /run 2>&1 || true
`;
    const files = { 'sub/file': 'from-context\n', '.dockerignore': 'Dockerfile\n' };
    const secrets = { key: { kind: 'value', value: 'hunter2' } };
    const { outcome, log } = await bench.build({ Dockerfile: dockerfile, ...files }, { secrets } as object);
    if (outcome.kind === 'failed') throw new Error(outcome.message);
    // Two streams have no order among them, so that what is compared is all of one.
    const lines = log.filter((line) => !line.startsWith('['));
    expect(lines.slice(0, 6)).toEqual([
      'hit',
      'from-stage',
      'from-context',
      'sub',
      expect.stringMatching(/read-only|Read-only/),
      '400',
    ]);
    expect(lines[6]).toBe('same');
    const added = await bench.added(outcome.image);
    expect(added.join('\n')).not.toContain('hunter2');
    // A mount point is no change, so a RUN that only used mounts makes no layer.
    expect(added).toEqual([]);
    const again = await bench.build(
      { Dockerfile: `FROM tiny\nRUN --mount=type=cache,target=/elsewhere,id=c cat /elsewhere/log` },
      {},
    );
    expect(again.log).toContain('hit');
  });

  test('--network=none has only loopback', async () => {
    expect(await output('FROM tiny\nRUN --network=none ls /sys/class/net\n')).toEqual(['lo']);
  });

  test('keeps deletions, links, modes and owners', async () => {
    const image = await bench.built({
      Dockerfile: `FROM tiny
RUN mkdir -p /d/e && echo x > /d/f && ln -s f /d/l && chmod 2750 /d/e && chown app:other /d/f && chmod u+s /d/f
RUN rm -r /d/e /home && echo y > /g
`,
    });
    const added = await bench.added(image);
    expect(added).toEqual([
      '755 0:0 d/',
      '4644 500:700 d/f = "x\\n"',
      'link 0:0 d/l -> f',
      '644 0:0 g = "y\\n"',
    ]);
    expect((await bench.files(image.layers)).some((line) => line.includes(' home/'))).toBe(false);
  });
});

describe('a RUN that fails', () => {
  test('tells exit code, place and the line, and fails the build', async () => {
    const { outcome } = await bench.build({
      Dockerfile: 'FROM tiny\n\n  RUN echo partial > /x && \\\n    exit 7\n',
    });
    expect(outcome).toEqual({
      kind: 'failed',
      exitCode: 7,
      message: 'Dockerfile:3:3: the command exited with 7\n  3 |   RUN echo partial > /x && \\',
      position: { file: 'Dockerfile', line: 3, column: 3, source: '  RUN echo partial > /x && \\' },
    });
  });

  test.each([
    ['RUN ["/no/such"]', /2:1: the command could not be started: /],
    ['RUN --mount=type=ssh,required true', /2:1: no SSH agent default was given/],
    ['RUN --mount=type=cache true', /2:5: --mount: a mount cannot take the place of the whole root/],
    ['RUN --mount=type=secret,id=x,required true', /2:1: the secret x was not given/],
    ['RUN --network=host true', /2:1: --network=host is not allowed here; .*--allow network.host/],
    ['RUN --security=insecure true', /2:1: --security=insecure is not allowed/],
    ['USER nobody-here\nRUN true', /3:1: the command could not be started: .*nobody-here/],
  ])('%s', async (line, message) => {
    const { outcome } = await bench.build({ Dockerfile: `FROM tiny\n${line}\n` });
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringMatching(message) as string });
  });

  test('stops the other stages', async () => {
    const started = performance.now();
    const { outcome } = await bench.build({
      Dockerfile:
        'FROM tiny AS slow\nRUN sleep 20\nFROM tiny AS bad\nRUN exit 3\nFROM scratch\nCOPY --from=slow / /\nCOPY --from=bad / /\n',
    });
    expect(outcome).toMatchObject({ kind: 'failed', exitCode: 3 });
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

test('cancelling kills everything and rejects with the reason', async () => {
  const cancel = new AbortController();
  const building = bench.build(
    { Dockerfile: 'FROM tiny\nRUN (sleep 60 &) ; echo here; sleep 60\n' },
    {
      signal: cancel.signal,
      onLog: (line) => {
        if (line === 'here') cancel.abort(new Error('enough'));
      },
    },
  );
  await expect(building).rejects.toThrow('enough');
});
