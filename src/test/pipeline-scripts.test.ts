import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageDir } from '../lib/places.ts';
import { withFolder } from './testing/running-app.ts';

const scripts = path.join(packageDir, '../.gitlab/scripts');
const TOKEN = 'T1.abc-_';
const BASIC = `Basic ${Buffer.from('robot:p"w\\x').toString('base64')}`;

function run(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', [path.join(scripts, name), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

type Answer = (status: number, headers?: Record<string, string>, body?: string) => void;

function answerManifest(
  method: string | undefined,
  reference: string,
  registry: { tags: Map<string, string>; removesTags: boolean; answer: Answer },
): void {
  const { tags, removesTags, answer } = registry;
  const digest = tags.get(reference) ?? reference;
  if (method === 'HEAD') return answer(200, { 'docker-content-digest': digest });
  if (tags.has(reference) && !removesTags) return answer(405);
  for (const [tag, value] of tags) if (tag === reference || value === reference) tags.delete(tag);
  return answer(202);
}

/** A registry with a token server, two pages of tags, and removal by tag or by digest only. */
async function withRegistry(
  tags: Map<string, string>,
  removesTags: boolean,
  work: (host: string) => Promise<void>,
): Promise<void> {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://registry');
    const answer: Answer = (status, headers = {}, body = '') =>
      void response.writeHead(status, headers).end(body);
    if (url.pathname === '/token') {
      if (request.headers.authorization !== BASIC) return answer(401);
      return answer(200, {}, JSON.stringify({ token: TOKEN, expires_in: 60 }));
    }
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      return answer(401, {
        'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="r"`,
      });
    }
    if (url.pathname.endsWith('/tags/list')) {
      const all = [...tags.keys()];
      const last = url.searchParams.has('last');
      const link = { link: '</v2/group/app/tags/list?n=1000&last=x>; rel="next"' };
      return answer(
        200,
        last ? {} : link,
        JSON.stringify({ name: 'group/app', tags: last ? all.slice(3) : all.slice(0, 3) }),
      );
    }
    return answerManifest(request.method, url.pathname.split('/').at(-1) ?? '', {
      tags,
      removesTags,
      answer,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const TAGS = {
  main: 'a',
  'v1.0.0': 'b',
  'feat-old': 'c',
  'ansible-feat-old': 'b',
  'test-feat-old': 'd',
  'feat-kept': 'e',
  'coverage-feat-kept': 'f',
};
const registryOf = () => new Map(Object.entries(TAGS).map(([tag, digest]) => [tag, `sha256:${digest}`]));

async function clean(
  tags: Map<string, string>,
  options: { removesTags: boolean; dryRun?: string; branches?: string },
) {
  let result = { code: null as number | null, output: '' };
  await withFolder(async (dir) => {
    const file = path.join(dir, 'branches.txt');
    await writeFile(file, options.branches ?? 'main\nfeat-kept\n');
    await withRegistry(tags, options.removesTags, async (host) => {
      result = await run('clean-registry.sh', [file], {
        CI_REGISTRY: host,
        CI_REGISTRY_IMAGE: `${host}/group/app`,
        CI_REGISTRY_USER: 'robot',
        CI_REGISTRY_PASSWORD: 'p"w\\x',
        CLEANUP_REGISTRY_SCHEME: 'http',
        CLEANUP_DRY_RUN: options.dryRun ?? 'false',
      });
    });
  });
  return result;
}

const git = (cwd: string, ...args: string[]) =>
  spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd });

const usable = existsSync(scripts) && spawnSync('curl', ['--version']).status === 0;

describe.skipIf(!usable)('clean-registry.sh', () => {
  it('removes the tags of feature branches that are gone', async () => {
    const tags = registryOf();
    expect((await clean(tags, { removesTags: true })).code).toBe(0);
    expect([...tags.keys()]).toEqual(['main', 'v1.0.0', 'feat-kept', 'coverage-feat-kept']);
  });

  it('never takes a kept tag along when only digests can be removed', async () => {
    const tags = registryOf();
    const { code, output } = await clean(tags, { removesTags: false });
    expect([code, output]).toEqual([0, expect.stringContaining('left ansible-feat-old')]);
    expect([...tags.keys()]).toEqual([
      'main',
      'v1.0.0',
      'ansible-feat-old',
      'feat-kept',
      'coverage-feat-kept',
    ]);
  });

  it('only says so on a dry run, and refuses an empty answer', async () => {
    const tags = registryOf();
    expect((await clean(tags, { removesTags: true, dryRun: 'true' })).output).toContain(
      'would remove test-feat-old',
    );
    expect((await clean(tags, { removesTags: true, branches: '' })).code).toBe(1);
    expect(tags.size).toBe(Object.keys(TAGS).length);
  });
});

describe.skipIf(!existsSync(scripts))('preflight.sh', () => {
  const registry = {
    CI_REGISTRY: 'r',
    CI_REGISTRY_IMAGE: 'r/x',
    CI_REGISTRY_USER: 'u',
    CI_REGISTRY_PASSWORD: 'topsecret',
  };

  it('says everything that is missing, and no value', async () => {
    const { code, output } = await run('preflight.sh', [], {
      ...registry,
      ENVIRONMENT_NAME: 'production',
      CLIENT_KEY_DATA: '%%',
    });
    expect(code).toBe(1);
    for (const name of [
      'KUBE_DOMAIN',
      'CLUSTER_DOMAIN',
      'CERTIFICATE_AUTHORITY_DATA',
      'CLIENT_CERTIFICATE_DATA',
    ]) {
      expect(output).toContain(`missing: ${name}`);
    }
    expect(output).toContain('wrong: CLIENT_KEY_DATA');
    expect(output).not.toContain('topsecret');
  });

  const cluster = {
    KUBE_DOMAIN: 'd',
    CLUSTER_DOMAIN: 'c',
    CERTIFICATE_AUTHORITY_DATA: 'YQ==',
    CLUSTER_TOKEN: 't',
    POSTGRES_IMAGE: 'postgres:15',
  };
  const preflight = (env: Record<string, string>) =>
    run('preflight.sh', [], { ...registry, ...cluster, ENVIRONMENT_NAME: 'production', ...env });
  const certificate = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----';
  const withKey = `${certificate}\n-----BEGIN PRIVATE KEY-----\nx`;

  it.each([
    [0, 'with a volume', {}],
    [0, 'the one of DATABASE_URL', { DATABASE_URL: 'postgres://u:topsecret@h/d' }],
    [1, 'DATABASE_URL must be', { DATABASE_URL: 'mysql://u:topsecret@h/d' }],
    [1, 'missing: POSTGRES_IMAGE', { POSTGRES_IMAGE: '' }],
    [1, 'missing: POSTGRES_IMAGE', { POSTGRES_IMAGE: '', ENVIRONMENT_NAME: 'review/x' }],
    [0, 'passed', { POSTGRES_IMAGE: '', STORE: 'memory' }],
    [1, 'STORE may be', { STORE: 'redis' }],
    [1, 'set URL_SCHEME to https', { SSL_CERTIFICATE: withKey }],
    [1, 'set URL_SCHEME to https', { BASE64_SSL_CERTIFICATE: Buffer.from(withKey).toString('base64') }],
    [0, 'passed', { SSL_CERTIFICATE: withKey, URL_SCHEME: 'https' }],
    [0, 'passed', { SSL_CERTIFICATE: certificate }],
    [1, 'URL_SCHEME may be', { URL_SCHEME: 'ftp' }],
  ])('exits %i and says "%s" for %j', async (code, text, env) => {
    const result = await preflight(env);
    expect([result.code, result.output]).toEqual([code, expect.stringContaining(text)]);
    expect(result.output).not.toContain('topsecret');
  });

  it('reads variables of type file', () =>
    withFolder(async (dir) => {
      const file = path.join(dir, 'url');
      await writeFile(file, 'postgres://u:topsecret@h/d\n');
      const { output } = await preflight({ DATABASE_URL: file });
      expect(output).toContain('the one of DATABASE_URL');
    }));

  it('asks for no cluster where nothing is deployed, and takes a token', async () => {
    expect((await run('preflight.sh', [], { ...registry, ENVIRONMENT_NAME: 'none' })).code).toBe(0);
    expect(
      (await run('preflight.sh', [], { ...registry, ...cluster, ENVIRONMENT_NAME: 'integration' })).code,
    ).toBe(0);
  });
});

describe.skipIf(!existsSync(scripts) || spawnSync('git', ['--version']).status !== 0)(
  'list-branches.sh',
  () => {
    it('prints slugs, and fails rather than print nothing', () =>
      withFolder(async (dir) => {
        git(dir, 'init', '--quiet', '--initial-branch=main');
        expect((await run('list-branches.sh', [], {}, dir)).code).not.toBe(0);
        git(dir, 'remote', 'add', 'origin', dir);
        expect((await run('list-branches.sh', [], {}, dir)).code).toBe(1);
        git(dir, 'commit', '--quiet', '--allow-empty', '--message=x');
        git(dir, 'branch', 'feat-Foo__bar');
        git(dir, 'branch', `feat/${'x'.repeat(80)}`);
        const { code, output } = await run('list-branches.sh', [], {}, dir);
        expect(code).toBe(0);
        expect(output.trim().split('\n')).toEqual(['feat-foo--bar', `feat-${'x'.repeat(58)}`, 'main']);
      }));
  },
);

const playbooks = path.join(packageDir, '../.gitlab/ansible');
const canPlay = existsSync(playbooks) && spawnSync('ansible-playbook', ['--version']).status === 0;

/** Data of the Secret that the playbooks make of a certificate. */
async function certificateSecret(
  dir: string,
  variables: Record<string, string>,
): Promise<Record<string, string>> {
  const play = {
    hosts: 'localhost',
    connection: 'local',
    gather_facts: false,
    vars: { webapp_namespace: 'a', webapp_component: 'app' },
    vars_files: [path.join(playbooks, 'roles/webapp/vars/main.yml')],
    tasks: [
      {
        'ansible.builtin.copy': {
          content: '{{ webapp_certificate_secret.data | to_json }}',
          dest: `${dir}/out`,
          mode: '0600',
        },
      },
    ],
  };
  const file = path.join(dir, 'play.yml');
  await writeFile(file, JSON.stringify([play]));
  const played = spawnSync('ansible-playbook', ['-i', 'localhost,', file], {
    env: { PATH: process.env['PATH'], HOME: dir, LC_ALL: 'C.UTF-8', ...variables },
  });
  expect(played.status, played.stdout.toString()).toBe(0);
  const data = JSON.parse(await readFile(`${dir}/out`, 'utf8')) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
  );
}

describe.skipIf(!canPlay || spawnSync('openssl', ['version']).status !== 0)('the playbooks', () => {
  it('hand a certificate over as it was given: chain, key, authority', { timeout: 120_000 }, () =>
    withFolder(async (dir) => {
      const wish =
        'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a -keyout key -out cert';
      expect(spawnSync('openssl', wish.split(' '), { cwd: dir }).status).toBe(0);
      const [cert, key] = [await readFile(`${dir}/cert`, 'utf8'), await readFile(`${dir}/key`, 'utf8')];
      await writeFile(`${dir}/both`, `a word before\n${key}${cert}${cert}`);
      const secret = await certificateSecret(dir, { SSL_CERTIFICATE: `${dir}/both` });
      expect(secret).toEqual({ 'tls.crt': cert + cert, 'tls.key': key });
      const authority = await certificateSecret(dir, {
        BASE64_SSL_CERTIFICATE: Buffer.from(cert).toString('base64'),
      });
      expect(authority).toEqual({ 'ca.crt': cert });
    }),
  );
});
