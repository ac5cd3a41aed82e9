import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openBench } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';
import type { BuildRequest } from './types.ts';

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

async function output(dockerfile: string, request: Partial<BuildRequest> = {}): Promise<string[]> {
  const { outcome, log } = await bench.build({ Dockerfile: dockerfile }, request);
  if (outcome.kind === 'failed') throw new Error(`${outcome.message}\n${log.join('\n')}`);
  return log.filter((line) => !line.startsWith('['));
}

/** All bytes of all layers, uncompressed. */
async function layerBytes(image: { layers: readonly { diffId: `sha256:${string}`; size: number }[] }) {
  const chunks: Buffer[] = [];
  for (const layer of image.layers) {
    for await (const chunk of await bench.options.store.layerTar(layer)) chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

describe('ssh', () => {
  test('a command gets a socket of its own, for the user it asked for', async () => {
    const folder = await bench.context({});
    const socket = path.join(folder, 'agent');
    const agent = createServer((client) => client.end('hello from the agent')).listen(socket);
    await once(agent, 'listening');
    try {
      const lines = await output(
        `FROM tiny
USER app
RUN --mount=type=ssh,uid=500,mode=0600 stat -c '%F %a %u' $SSH_AUTH_SOCK; echo $SSH_AUTH_SOCK
RUN --mount=type=ssh,id=other,target=/there echo "($SSH_AUTH_SOCK)"
RUN ls -A /run 2>/dev/null; echo "<$SSH_AUTH_SOCK>"
`,
        { ssh: { default: socket } },
      );
      expect(lines).toEqual(['socket 600 500', '/run/buildkit/ssh_agent.0', '()', '<>']);
    } finally {
      agent.close();
    }
  });
});

describe('caches', () => {
  test('start from files, once; their owner is what was asked for', async () => {
    const dockerfile = (text: string) => `FROM tiny AS seed
RUN mkdir /s && echo seed > /s/f
FROM tiny
RUN --mount=type=cache,id=seeded,target=/c,from=seed,source=/s,uid=500,gid=600,mode=0770 : ${text}; cat /c/*; stat -c '%a %u:%g' /c; echo more >> /c/f
`;
    expect(await output(dockerfile('a'))).toEqual(['seed', '770 500:600']);
    expect(await output(dockerfile('b'))).toEqual(['seed', 'more', '770 500:600']);
  });

  test('namespaces keep builds apart; a private one is never used by two at once', async () => {
    const use = (line: string) =>
      `FROM tiny\nRUN --mount=type=cache,id=ns,target=/c : ${line}; ls /c; echo x > /c/${line}\n`;
    expect(await output(use('a'))).toEqual([]);
    expect(await output(use('b'), { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'other' } })).toEqual([]);
    expect(await output(use('c'))).toEqual(['a']);
    const both = await output(`FROM tiny AS a
RUN --mount=type=cache,id=p,sharing=private,target=/c echo a > /c/f; sleep 1; cat /c/f > /out
FROM tiny AS b
RUN --mount=type=cache,id=p,sharing=private,target=/c echo b > /c/f; sleep 1; cat /c/f > /out
FROM tiny
COPY --from=a /out /a
COPY --from=b /out /b
RUN --mount=type=cache,id=p,sharing=private,target=/c cat /a /b; cat /c/f
`);
    expect(both.slice(0, 2)).toEqual(['a', 'b']);
    expect(['a', 'b']).toContain(both[2]);
  });

  test('neither they nor secrets are in any layer, key or config', async () => {
    const marker = 'never-in-a-layer-83a1';
    const image = await bench.built(
      {
        Dockerfile: `FROM tiny
RUN --mount=type=cache,target=/c echo $(echo never-in)-a-layer-83a1 > /c/f; mkdir -p /c/d
RUN --mount=type=secret,id=s --mount=type=secret,id=s,env=S --mount=type=secret,source=s,target=/etc/s [ "$S" = "$(cat /run/secrets/s)" ] && [ "$S" = "$(cat /etc/s)" ]
RUN --mount=type=tmpfs,target=/t echo $(echo never-in)-a-layer-83a1 > /t/f
RUN --mount=type=bind,target=/b,rw echo $(echo never-in)-a-layer-83a1 > /b/f
`,
      },
      { secrets: { s: { kind: 'value', value: marker } } },
    );
    expect((await layerBytes(image)).includes(marker)).toBe(false);
    expect(JSON.stringify(image.config)).not.toContain(marker);
    expect(await bench.added(image)).toEqual([]);
  });
});

test('mounts inside one another come in order; one without a target is at the working directory', async () => {
  const lines = await output(`FROM tiny AS s
RUN mkdir /s && echo in > /s/f
FROM tiny
WORKDIR /w
RUN --mount=type=tmpfs,target=/m/inner --mount=type=bind,from=s,target=/m,source=/s,rw ls /m
RUN --mount="type=bind,from=s,source=/s" ls
`);
  expect(lines).toEqual(['f', 'inner', 'f']);
});

describe('what has to be granted', () => {
  test('the machine’s network', async () => {
    const server = createServer((client) => client.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const dockerfile = (flag: string) =>
      `FROM tiny\nRUN ${flag} case "$(cat /proc/net/tcp)" in *0100007F:${hex}*) echo host;; *) echo own;; esac\n`;
    try {
      expect(await output(dockerfile('--network=host'), { entitlements: ['network.host'] })).toEqual([
        'host',
      ]);
      expect(await output(dockerfile(''))).toEqual(['own']);
      expect(await output(dockerfile('--network=none'))).toEqual(['own']);
    } finally {
      server.close();
    }
  });

  test('all capabilities; without that the usual ones', async () => {
    const caps = (flag: string) =>
      `FROM tiny\nRUN ${flag} while read -r name value; do case $name in CapEff:|Seccomp:) echo $value;; esac; done < /proc/self/status\n`;
    expect(await output(caps(''))).toEqual(['00000000a80425fb', '2']);
    const [all, seccomp] = await output(caps('--security=insecure'), { entitlements: ['security.insecure'] });
    expect([all?.startsWith('000001ff'), seccomp]).toEqual([true, '0']);
  });
});

describe('limits', () => {
  test('a build that takes too long fails, and nothing of it is left', async () => {
    const started = performance.now();
    const { outcome } = await bench.build(
      { Dockerfile: 'FROM tiny\nRUN (sleep 60 &); sleep 60\n' },
      { timeoutMs: 1500 },
    );
    expect(outcome).toMatchObject({
      kind: 'failed',
      message: 'Dockerfile: the build took longer than 1500 ms',
    });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('of processes and of memory', async () => {
    const { outcome } = await bench.build(
      { Dockerfile: 'FROM tiny\nRUN for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait\n' },
      { limits: { processes: 5 } },
    );
    expect(outcome).toMatchObject({ kind: 'failed', position: { line: 2 } });
    const wide = await bench.build(
      { Dockerfile: 'FROM tiny\nRUN x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done\n' },
      { limits: { memoryBytes: 64 * 2 ** 20 } },
    );
    expect(wide.outcome).toMatchObject({ kind: 'failed', position: { line: 2 } });
  });
});
