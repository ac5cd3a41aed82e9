import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runOrThrow } from '@updraft/kit';
import type { Builder, BuildRequest } from '@updraft/builder';
import { randomImage, temporaryStore } from '@updraft/oci/testing';
import { kanikoCommand } from './command.ts';
import { credentialsFor } from './credentials.ts';
import { parseKaniko } from './parse.ts';

const OURS = 'registry.localhost:5005';
const AUTH = JSON.stringify({
  auths: { [OURS]: { auth: Buffer.from('user:pass:word').toString('base64') } },
});

/** Runs the command line over a real store and a builder that notes what it is asked. */
async function kaniko(argv: readonly string[], files: Readonly<Record<string, string>> = {}, env = {}) {
  const temporary = await temporaryStore();
  const image = await randomImage(temporary.store);
  const asked: BuildRequest[] = [];
  const builder: Builder = {
    build: (request) => {
      asked.push(request);
      const broken = request.target === 'broken';
      return Promise.resolve(
        broken
          ? { kind: 'failed', message: 'Dockerfile:2:1: no', position: undefined }
          : { kind: 'built', image, steps: 3, cachedSteps: 2, bases: [] },
      );
    },
    cachedLayers: () => [],
    sweep: () => Promise.resolve(),
    close: () => undefined,
  };
  const lines: string[] = [];
  const written: Record<string, string> = {};
  const here: Readonly<Record<string, string>> = {
    '/w/Dockerfile': 'FROM x',
    '/kaniko/.docker/config.json': AUTH,
    ...files,
  };
  try {
    const exit = await kanikoCommand(argv, {
      builder,
      store: temporary.store,
      registryHost: OURS,
      mayPush: ({ username, password }) => username === 'user' && password === 'pass:word',
      files: {
        hostPath: (inside) =>
          Promise.resolve(
            inside.endsWith('.tar') ? path.join(temporary.dir, path.basename(inside)) : `/host${inside}`,
          ),
        readText: (inside) => Promise.resolve(here[inside]),
        writeText: (inside, text) => {
          written[inside] = text;
        },
      },
      cwd: '/w',
      env,
      timestampMs: 5,
      signal: new AbortController().signal,
      out: (line) => lines.push(line),
    });
    const tagged = (await temporary.store.list()).map(({ name }) => name);
    const stored = await temporary.store.get(`${OURS}/g/p:1`);
    const types = stored?.manifest.layers.map(({ mediaType }) => mediaType.split('.').at(-1));
    const tar = path.join(temporary.dir, 'image.tar');
    const archive = existsSync(tar) ? (await runOrThrow('tar', ['-tf', tar])).trim().split('\n') : [];
    return {
      exit,
      asked,
      lines,
      written,
      tagged,
      digest: image.digest,
      stored: stored?.digest,
      types,
      archive,
    };
  } finally {
    await temporary.remove();
  }
}

describe('kanikoCommand', () => {
  test('builds, names the image in the embedded registry and writes what later steps read', async () => {
    const result = await kaniko(
      [
        '--context',
        '/w',
        '-f',
        'Dockerfile',
        `--destination=${OURS}/g/p:1`,
        '-d',
        `${OURS}/g/p:2`,
        '--build-arg',
        'A=b=c',
        '--build-arg=FROM_ENV',
        '--label',
        'l=1',
        '--target',
        't',
        '--digest-file=out/d',
        '--image-name-tag-with-digest-file',
        '/w/n',
        '--cache=true',
        '--snapshot-mode=redo',
      ],
      {},
      { FROM_ENV: 'e' },
    );
    expect(result).toMatchObject({
      exit: 0,
      tagged: [`${OURS}/g/p:1`, `${OURS}/g/p:2`],
      written: {
        '/w/out/d': result.digest,
        '/w/n': `${OURS}/g/p:1@${result.digest}\n${OURS}/g/p:2@${result.digest}`,
      },
    });
    expect(result.asked).toMatchObject([
      {
        context: { kind: 'folder', path: '/host/w' },
        dockerfile: 'Dockerfile',
        buildArgs: { A: 'b=c', FROM_ENV: 'e' },
        labels: { l: '1' },
        target: 't',
        cache: true,
        timestampMs: 5,
      },
    ]);
    expect(result.lines.join('\n')).toContain('note: --snapshot-mode: ');
    expect(result.lines.join('\n')).not.toContain('pass:word');
  });

  test('--no-push builds only', async () => {
    expect(await kaniko(['--no-push', '-c', 'dir:///w'])).toMatchObject({ exit: 0, tagged: [] });
  });

  test.each([
    [
      ['--context=tar://c.tgz'],
      {},
      { context: { kind: 'archive', path: '/host/w/c.tgz' }, dockerfile: '/host/w/Dockerfile' },
    ],
    [
      ['--context=git://h/o/x.git#refs/heads/b', '--context-sub-path=s', '--dockerfile=D'],
      { GIT_TOKEN: 't' },
      {
        context: {
          kind: 'git',
          url: 'https://h/o/x.git?submodules=false#refs/heads/b',
          folder: 's',
          credentials: { username: 'oauth2', password: 't' },
        },
        dockerfile: 'D',
      },
    ],
    [
      ['--context=git://h/x', '--git=branch=b,recurse-submodules=true'],
      {},
      { context: { kind: 'git', url: 'https://h/x.git#b' } },
    ],
    [['-c', '/w', '--cache-ttl=1h30m'], {}, { cacheMaxAgeMs: 5_400_000, confined: true }],
    [['-c', '/w', '--single-snapshot'], {}, { singleLayer: true }],
    [['-c', '/w', '--single-snapshot=false'], {}, { singleLayer: false }],
    [
      ['-c', '/w', '--secret=id=a,env=A', '--secret', 'id=b,src=B', '--secret=id=A'],
      { A: 'va' },
      {
        secrets: {
          a: { kind: 'value', value: 'va' },
          b: { kind: 'value', value: 'vb' },
          A: { kind: 'value', value: 'va' },
        },
      },
    ],
    [
      ['-c', '/w', '--build-context=d=./x', '--build-context=l=oci-layout:/y', '--build-context=i=img'],
      {},
      {
        buildContexts: {
          d: { kind: 'folder', path: '/host/w/x' },
          l: { kind: 'layout', path: '/host/y' },
          i: { kind: 'image', reference: 'img' },
        },
      },
    ],
  ])('%j asks for what it says', async (argv, env, expected) => {
    const { asked } = await kaniko(['--no-push', ...argv], { '/w/B': 'vb' }, env);
    expect(asked).toMatchObject([expected]);
  });

  test.each([
    [['--compression=gzip', '--compression-level=9'], 'tar+gzip', 'gz'],
    [['--compression-level', '1'], 'tar+gzip', 'gz'],
    [[], 'tar', 'tar'],
  ])('%j is how the layers are in the registry and in the archive', async (flags, type, ending) => {
    const result = await kaniko([
      '--context=/w',
      `-d=${OURS}/g/p:1`,
      '--tar-path=image.tar',
      '--digest-file=d',
      ...flags,
    ]);
    expect(result.exit).toBe(0);
    expect(new Set(result.types)).toEqual(new Set([type]));
    expect(result.written['/w/d']).toBe(result.stored);
    expect(result.archive.filter((name) => !name.endsWith('.json'))).toHaveLength(2);
    expect(result.archive.every((name) => name.endsWith('.json') || name.endsWith(`.${ending}`))).toBe(true);
  });

  test('base images are found as the job finds them: its credentials, its mirrors, its trust', async () => {
    const { asked } = await kaniko(
      [
        '--context=/w',
        '--no-push',
        '--registry-mirror=m.example/hub',
        '--registry-mirror=plain.example:5000',
        '--insecure-registry=plain.example:5000',
        '--registry-map=ghcr.io=127.0.0.1:5001/gh;quay.io=q.example',
        '--registry-certificate=ghcr.io=ca.pem',
        '--skip-tls-verify-registry=quay.io',
      ],
      { '/w/ca.pem': '-----BEGIN CERTIFICATE-----' },
      { KANIKO_REGISTRY_MIRROR: 'last.example' },
    );
    const access = asked[0]?.access;
    expect(await access?.('docker.io')).toEqual({
      insecure: false,
      skipTlsVerify: false,
      mirrorsOnly: false,
      mirrors: ['https://m.example/hub', 'http://plain.example:5000', 'https://last.example'],
    });
    expect(await access?.('ghcr.io')).toMatchObject({
      mirrors: ['http://127.0.0.1:5001/gh'],
      ca: '-----BEGIN CERTIFICATE-----',
    });
    expect(await access?.('quay.io')).toMatchObject({ mirrors: ['https://q.example'], skipTlsVerify: true });
    expect(await access?.(OURS)).toMatchObject({
      mirrors: [],
      credentials: { username: 'user', password: 'pass:word' },
    });
  });

  test('--annotation makes another manifest of the same layers', async () => {
    const plain = await kaniko(['--context=/w', `--destination=${OURS}/g/p:1`]);
    const noted = await kaniko([
      '--context=/w',
      `--destination=${OURS}/g/p:1`,
      '--annotation=a=b',
      '--digest-file=d',
    ]);
    expect([noted.exit, noted.tagged]).toEqual([0, plain.tagged]);
    expect(noted.written['/w/d']).toMatch(/^sha256:/);
    expect(noted.written['/w/d']).not.toBe(noted.digest);
  });

  test('--version and --help need nothing else', async () => {
    expect(await kaniko(['--version'])).toMatchObject({ exit: 0, asked: [] });
    const { lines } = await kaniko(['--help']);
    expect(lines.join(' ')).toContain('--image-name-with-digest-file');
  });

  test.each([
    [['--context=/w'], 'you must provide --destination'],
    [['--destnation=x'], 'unknown flag: --destnation (did you mean --destination?)'],
    [['--constructor', 'x'], 'unknown flag: --constructor'],
    [['--bucket=x'], 'contexts in buckets are not fetched'],
    [['--no-push', '--secret=id=x'], '--secret x: there is no variable x'],
    [['--no-push', '--cache=perhaps'], 'flag --cache is true or false, not perhaps'],
    [['--no-push', '--cache-ttl=soon'], '--cache-ttl soon is no duration'],
    [['--no-push', '--compression=lz4'], '--compression lz4: it is gzip or zstd'],
    [['--no-push', '--compression-level=10'], '--compression-level 10: gzip has no such level'],
    [['--no-push', '--compression-level=best'], '--compression-level best: gzip has no such level'],
    [['--no-push', '--registry-map=x'], '--registry-map x is not REGISTRY=MIRROR'],
    [['--no-push', '--registry-mirror=http://x'], 'http://x is no mirror'],
    [['--no-push', '--context=tar://stdin'], 'an archive has to be a file of the job'],
    [['--no-push', '--context'], 'flag --context needs a value'],
    [['--no-push', 'stray'], 'unexpected argument: stray'],
    [['--no-push', '--context=s3://b/c'], '(dir://), archives (tar://) and Git (git://) are understood'],
    [['--no-push', '--context=/w', '-f', 'Nowhere'], 'there is no Dockerfile Nowhere'],
    [['--destination=Not/A:Name:'], '--destination Not/A:Name:'],
    [['--no-push', '--context=/w', '--target=broken'], 'Dockerfile:2:1: no'],
  ])('%j', async (argv, message) => {
    const { exit, lines, tagged } = await kaniko(argv);
    expect(exit).toBe(1);
    expect(lines.at(-1)).toContain(message);
    expect(tagged).toEqual([]);
  });

  test.each([
    [undefined, 'no credentials'],
    [AUTH.replace(OURS, 'elsewhere.example'), 'no credentials'],
    [JSON.stringify({ auths: { [OURS]: { username: 'user', password: 'wrong' } } }), 'not accepted'],
    ['no json', 'no credentials'],
  ])('pushing to the embedded registry needs its credentials (%#)', async (config, message) => {
    const files = { '/kaniko/.docker/config.json': config ?? '' };
    const { exit, lines, asked } = await kaniko([`--destination=${OURS}/g/p:1`, '--context=/w'], files);
    expect(exit).toBe(1);
    expect(lines.at(-1)).toContain(message);
    // Before anything was built.
    expect(asked).toEqual([]);
  });
});

test('credentials: file, then DOCKER_AUTH_CONFIG, then CI_REGISTRY_* for that registry only', () => {
  const ci = { CI_REGISTRY: 'r:1', CI_REGISTRY_USER: 'ci', CI_REGISTRY_PASSWORD: 'p' };
  const config = JSON.stringify({ auths: { 'https://r:1/v1/': { username: 'a', password: 'b' } } });
  expect(credentialsFor('r:1', undefined, ci)).toEqual({ username: 'ci', password: 'p' });
  expect(credentialsFor('other', undefined, ci)).toBeUndefined();
  expect(credentialsFor('r:1', undefined, { ...ci, DOCKER_AUTH_CONFIG: config })).toEqual({
    username: 'a',
    password: 'b',
  });
  // A host that only begins like the registry gets nothing.
  expect(credentialsFor('r:12', config, {})).toBeUndefined();
});

test('switches take a value only after =', () => {
  const parsed = parseKaniko(['--cache=false', '--no-push', '--use-new-run']);
  expect(
    parsed.kind === 'ok' && [parsed.flag('cache'), parsed.flag('no-push'), parsed.withoutEffect.length],
  ).toEqual([false, true, 1]);
});
