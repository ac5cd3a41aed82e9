import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createSandbox } from '@updraft/git/testing';
import type { Sandbox } from '@updraft/git/testing';
import type { Answer, CommitFacts, Question } from '@updraft/gitlab-ci';
import { start } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProjectContext } from '../index.ts';
import { readSettings } from '../settings.ts';
import { chooseRelease } from './component.ts';
import { createSources } from './sources.ts';

const NOW = 1_800_000_000_000;

let sandbox: Sandbox;
let root: string;
const cleanUp: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  sandbox = await createSandbox();
  root = path.dirname(sandbox.dir);
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
  await sandbox.remove();
});

const write = async (file: string, content: string) => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), content);
};

/** Asks as a new command would: only the cache remembers. */
async function ask(
  question: Question,
  given: Partial<ProjectContext> & { projectUrl?: string } = {},
): Promise<Answer> {
  const { projectUrl, ...context } = given;
  return createSources({
    dir: sandbox.dir,
    facts: { projectPath: 'group/sub/book', projectUrl } as CommitFacts,
    settings: await readSettings(sandbox.dir),
    uncommitted: [],
    context: { home: path.join(root, 'home'), now: NOW, ...context },
  })(question);
}

describe('files of a server', { timeout: 30_000 }, () => {
  let server: Server;
  let url: string;
  const requests: string[] = [];
  const serve = async (listener: RequestListener) => {
    requests.length = 0;
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      listener(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp.push(stop);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  const remote = (file: string, maxAgeSeconds?: number): Question => ({
    kind: 'remote',
    url: `${url}${file}`,
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  });

  it('are fetched, and kept for as long as they are asked to be', async () => {
    let text = 'one';
    await serve((_, response) => response.end(text));
    expect(await ask(remote('/a.yml'))).toEqual({ kind: 'file', text: 'one', name: `${url}/a.yml` });
    text = 'two';
    expect(await ask(remote('/a.yml', 3600), { now: NOW + 3_599_000 })).toMatchObject({ text: 'one' });
    expect(await ask(remote('/a.yml', 3600), { now: NOW + 3_601_000 })).toMatchObject({ text: 'two' });
    expect(requests).toHaveLength(2);
  });

  it('are what they were when the server is gone, which is said, or when no network may be asked', async () => {
    await serve((_, response) => response.end('one'));
    await ask(remote('/a.yml'));
    await stop();
    const later = NOW + 86_400_000;
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    expect(await ask(remote('/a.yml'), { now: later, onNote })).toMatchObject({ text: 'one' });
    expect(notes).toEqual([expect.stringContaining('taken as it was on 2027-01-15T08:00:00.000Z')]);
    expect(await ask(remote('/a.yml'), { now: later, offline: true })).toMatchObject({ text: 'one' });
    expect(await ask(remote('/b.yml'), { offline: true })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('never fetched before'),
      next: expect.stringContaining('.updraft/project.yml'),
    });
  });

  it.each([
    ['/missing', 'status 404'],
    ['/large', 'larger than 2 MiB'],
    ['/loop', 'in a circle'],
    ['/1', 'status 302'],
    ['/broken', ''],
  ])('that cannot be had are an answer: %s', async (file, why) => {
    await serve((request, response) => {
      if (request.url === '/missing') response.writeHead(404).end('no');
      else if (request.url === '/large') response.end('x'.repeat(3 * 1024 * 1024));
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (/^\/\d+$/.test(request.url ?? '')) {
        response.writeHead(302, { location: `${request.url}1` }).end();
      } else response.socket?.destroy();
    });
    expect(await ask(remote(file))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(why),
      next: expect.stringContaining('includes:'),
    });
    expect(requests.length).toBeLessThanOrEqual(6);
  });

  it('are followed to where they went', async () => {
    await serve((request, response) => {
      if (request.url === '/old') response.writeHead(301, { location: '/new' }).end();
      else response.end('moved');
    });
    expect(await ask(remote('/old'))).toMatchObject({ text: 'moved', name: `${url}/old` });
  });

  it('are asked for through the proxy of the user', async () => {
    const seen: string[] = [];
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        seen.push(data.toString('latin1').split('\r\n', 1)[0] ?? '');
        socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise((resolve) => proxy.close(resolve)));
    const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const question: Question = { kind: 'remote', url: 'http://gitlab.invalid/a.yml' };
    expect(await ask(question, { environment: { http_proxy } })).toMatchObject({ kind: 'unavailable' });
    expect(seen[0]).toContain('gitlab.invalid');
  });

  it('tell no password', async () => {
    let authorization: string | undefined;
    await serve((request, response) => {
      ({ authorization } = request.headers);
      response.writeHead(401).end();
    });
    const answer = await ask({ kind: 'remote', url: `${url.replace('//', '//ada:s3cret@')}/a.yml` });
    expect(authorization).toBe(`Basic ${Buffer.from('ada:s3cret').toString('base64')}`);
    expect(JSON.stringify(answer)).not.toContain('s3cret');
  });

  it.each(['file:///etc/passwd', 'ftp://a/b', 'no address'])('are of http: %s', async (address) => {
    expect(await ask({ kind: 'remote', url: address })).toMatchObject({ kind: 'unavailable' });
  });

  it('can be GitLab’s templates, of the version that is claimed', async () => {
    await serve((_, response) => response.end('template'));
    const context = { templateServer: `${url}/raw` };
    const question: Question = { kind: 'template', name: 'Jobs/Build.gitlab-ci.yml' };
    expect(await ask(question, context)).toEqual({
      kind: 'file',
      text: 'template',
      name: 'template:Jobs/Build.gitlab-ci.yml',
    });
    expect(await ask(question, { ...context, now: NOW * 2 })).toMatchObject({ text: 'template' });
    expect(requests).toEqual([
      expect.stringMatching(
        /^\/raw\/v\d+\.\d+\.\d+-ee\/lib\/gitlab\/ci\/templates\/Jobs\/Build\.gitlab-ci\.yml$/,
      ),
    ]);
    expect(await ask({ kind: 'template', name: '../../secrets' }, context)).toMatchObject({
      kind: 'unavailable',
    });
  });
});

describe('files of other projects', { timeout: 30_000 }, () => {
  /** A server's folder with `group/templates.git` in it; this project's remote is beside it. */
  async function withTemplates(): Promise<{ first: string; second: string; bare: string }> {
    const templates = await createSandbox('templates');
    cleanUp.push(() => templates.remove());
    const first = await templates.commit('first', {
      'ci/build.yml': 'build: one',
      'templates/scan.yml': 'scan: one',
      'templates/deploy/template.yml': 'deploy: one',
      'large.yml': 'x'.repeat(3 * 1024 * 1024),
    });
    await templates.git('tag', '1.0.0');
    await templates.git('tag', '--annotate', '1.2.3', '--message', 'x');
    await templates.git('branch', 'old');
    const second = await templates.commit('second', { 'ci/build.yml': 'build: two' });
    await templates.git('tag', '1.10.0-rc.1');
    const bare = path.join(root, 'server/group/templates.git');
    await templates.git('clone', '--quiet', '--bare', '.', bare);
    await sandbox.git('remote', 'add', 'origin', path.join(root, 'server/group/sub/book.git'));
    return { first, second, bare };
  }
  const file = (ref: string | undefined, name = 'ci/build.yml'): Question => ({
    kind: 'project',
    project: 'group/templates',
    ref,
    file: name,
  });

  it('are read at any version', async () => {
    const { first, second } = await withTemplates();
    expect(await ask(file(undefined))).toEqual({
      kind: 'file',
      text: 'build: two',
      name: 'group/templates@HEAD:ci/build.yml',
      project: { path: 'group/templates', ref: second },
    });
    for (const ref of ['1.0.0', '1.2.3', 'old', first]) {
      expect(await ask(file(ref, '/ci/build.yml'))).toMatchObject({
        text: 'build: one',
        project: { ref: first },
        name: `group/templates@${ref}:ci/build.yml`,
      });
    }
    expect(await ask({ kind: 'project-tree', project: 'group/templates', ref: 'main' })).toEqual({
      kind: 'paths',
      paths: ['ci/build.yml', 'large.yml', 'templates/deploy/template.yml', 'templates/scan.yml'],
    });
  });

  it.each([
    [file('main', 'none.yml'), 'has no file none.yml'],
    [file('main', 'large.yml'), 'has no file large.yml'],
    [file('nope'), 'has no version nope'],
    [file('f'.repeat(40)), 'has no commit'],
    [{ ...file('main'), project: 'group/none' } as Question, 'group/none'],
    [{ ...file('main'), project: '../../etc' } as Question, 'no path of a project'],
    [{ ...file('main'), project: '-u/x' } as Question, 'no path of a project'],
  ])('that are not there are an answer: %j', async (question, why) => {
    await withTemplates();
    expect(await ask(question)).toMatchObject({ kind: 'unavailable', message: expect.stringContaining(why) });
  });

  it('are read once, and stay when the server is gone', async () => {
    const { bare } = await withTemplates();
    await ask(file('main'));
    await rename(bare, `${bare}.gone`);
    await mkdir(bare);
    await writeFile(path.join(bare, 'HEAD'), '');
    const later = { now: NOW + 86_400_000 };
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    expect(await ask(file('main'), { ...later, onNote })).toMatchObject({ text: 'build: two' });
    expect(notes).toEqual([expect.stringContaining('group/templates cannot be reached')]);
    expect(await ask(file('main'), { ...later, offline: true })).toMatchObject({ text: 'build: two' });
    expect(await ask(file('old'), later)).toMatchObject({ kind: 'unavailable' });
  });

  it('come over the network from the server of this project', async () => {
    await withTemplates();
    const port = await freePort();
    const daemon = await start('git', [
      'daemon',
      '--export-all',
      '--listen=127.0.0.1',
      `--port=${port}`,
      `--base-path=${path.join(root, 'server')}`,
    ]);
    cleanUp.push(async () => {
      daemon.kill('SIGTERM');
      await daemon.exited;
    });
    await sandbox.git('remote', 'set-url', 'origin', `git://127.0.0.1:${port}/group/sub/book.git`);
    const context = { projectUrl: 'https://127.0.0.1/group/sub/book' };
    let answer = await ask(file('1.2.3'), context);
    for (let attempt = 0; attempt < 50 && answer?.kind === 'unavailable'; attempt += 1) {
      answer = await ask(file('1.2.3'), context);
    }
    expect(answer).toMatchObject({ text: 'build: one' });
  });

  it('are never asked for with a question at the terminal', async () => {
    const server = createServer((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    await sandbox.git('remote', 'add', 'origin', `http://ada:s3cret@127.0.0.1:${port}/group/book.git`);
    const answer = await ask(file('main'));
    expect(answer).toMatchObject({ kind: 'unavailable', next: expect.stringContaining('git ls-remote') });
    expect(JSON.stringify(answer)).not.toContain('s3cret');
  });

  it('can be components of a catalog', async () => {
    const { first, second } = await withTemplates();
    const component = (rest: string) =>
      ask({ kind: 'component', address: `localhost/group/templates/${rest}` });
    expect(await component('scan@1.0.0')).toEqual({
      kind: 'file',
      text: 'scan: one',
      name: 'localhost/group/templates/scan@1.0.0:templates/scan.yml',
      project: { path: 'group/templates', ref: first },
      component: { name: 'scan', sha: first, version: '1.0.0', reference: '1.0.0' },
    });
    expect(await component('deploy@~latest')).toMatchObject({
      text: 'deploy: one',
      component: { version: '1.2.3', reference: '~latest' },
    });
    expect(await component('scan@1')).toMatchObject({ component: { version: '1.2.3', reference: '1' } });
    expect(await component('scan@main')).toMatchObject({ component: { version: 'main', sha: second } });
    expect(await component('none@main')).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('templates/none.yml'),
    });
    expect(await component('scan@2')).toMatchObject({ message: expect.stringContaining('no version 2') });
    expect(await component('scan')).toMatchObject({ next: expect.stringContaining('host/group/project') });
  });
});

describe('overrides', { timeout: 30_000 }, () => {
  it('stand for projects, versions, addresses and templates', async () => {
    await write('mine/ci/build.yml', 'mine');
    await write('v2/ci/build.yml', 'two');
    await write('mine/templates/scan.yml', 'scan');
    await write('a.yml', 'address');
    await write('gitlab/Jobs/Build.gitlab-ci.yml', 'template');
    await sandbox.write(
      '.updraft/project.yml',
      `includes:
  group/templates: ../mine
  group/templates@v2: ../v2
  https://example.org/a.yml: ../a.yml
  template: ../gitlab
`,
    );
    const file = (ref?: string): Question => ({
      kind: 'project',
      project: 'group/templates',
      ref,
      file: 'ci/build.yml',
    });
    expect(await ask(file('v1'))).toMatchObject({
      text: 'mine',
      project: { path: 'group/templates', ref: 'v1' },
    });
    expect(await ask(file('v2'))).toMatchObject({ text: 'two' });
    expect(await ask({ kind: 'project-tree', project: 'group/templates', ref: undefined })).toEqual({
      kind: 'paths',
      paths: ['ci/build.yml', 'templates/scan.yml'],
    });
    expect(await ask({ kind: 'component', address: 'gitlab.com/group/templates/scan@1' })).toMatchObject({
      text: 'scan',
    });
    expect(await ask({ kind: 'remote', url: 'https://example.org/a.yml' })).toMatchObject({
      text: 'address',
    });
    expect(await ask({ kind: 'template', name: 'Jobs/Build.gitlab-ci.yml' })).toMatchObject({
      text: 'template',
    });
  });

  it('hold nothing that lies outside of them', async () => {
    await write('secret.yml', 'secret');
    await mkdir(path.join(root, 'mine'));
    await symlink('../secret.yml', path.join(root, 'mine/link.yml'));
    await sandbox.write('.updraft/project.yml', 'includes: { group/templates: ../mine }');
    for (const name of ['link.yml', '../secret.yml']) {
      const question: Question = { kind: 'project', project: 'group/templates', ref: undefined, file: name };
      expect(await ask(question)).toMatchObject({ kind: 'unavailable' });
    }
  });

  it('that are committed stay inside of the repository', async () => {
    await write('mine/a.yml', 'mine');
    await sandbox.write('.updraft/project.yml', 'includes: { group/templates: ../mine }');
    await sandbox.git('add', '.updraft');
    await expect(ask({ kind: 'template', name: 'a' })).rejects.toThrow(
      '.updraft/project.yml:1: .updraft/project.yml is committed',
    );
  });

  it('that are wrong are a fault', async () => {
    await sandbox.write('.updraft/project.yml', 'include:\n  a: b\n');
    await expect(ask({ kind: 'template', name: 'a' })).rejects.toThrow(
      '.updraft/project.yml:1: there is no setting',
    );
  });
});

describe('this project itself', { timeout: 30_000 }, () => {
  it('is taken of this repository at the version at hand, also without its server', async () => {
    const component = (text: string) => ({ 'templates/scan.yml': text });
    const sha = await sandbox.commit('first', component('committed'));
    const projectUrl = 'https://nowhere.invalid/group/sub/book';
    const facts = { projectPath: 'group/sub/book', projectUrl, sha, branch: 'main' } as CommitFacts;
    const asked = async (address: string, uncommitted: readonly string[] = []) => {
      const context = { home: path.join(root, 'home'), now: NOW };
      const place = {
        dir: sandbox.dir,
        facts,
        settings: await readSettings(sandbox.dir),
        uncommitted,
        context,
      };
      return createSources(place)({ kind: 'component', address });
    };
    const own = `nowhere.invalid/group/sub/book/scan@${sha}`;
    expect(await asked(own)).toMatchObject({ kind: 'file', text: 'committed', component: { sha } });
    await sandbox.write('templates/scan.yml', 'changed');
    expect(await asked(own)).toMatchObject({ text: 'committed' });
    expect(await asked(own, ['templates/scan.yml'])).toMatchObject({ text: 'changed' });
    expect(await asked('nowhere.invalid/group/sub/book/scan@main')).toMatchObject({ text: 'committed' });
    await expect(asked(`other.invalid/group/sub/book/scan@${sha}`)).resolves.toMatchObject({
      kind: 'unavailable',
    });
  });
});

describe('chooseRelease', () => {
  const tags = new Map(
    ['1.0.0', '1.9.0', '1.10.0', '2.0.0-rc.1', 'v3.1.4', 'nightly'].map((tag) => [tag, '']),
  );
  it.each([
    ['~latest', 'v3.1.4'],
    ['1', '1.10.0'],
    ['1.9', '1.9.0'],
    ['3', 'v3.1.4'],
    ['2', undefined],
    ['1.0.0', undefined],
    ['nightly', undefined],
  ])('%s is %s', (version, expected) => {
    expect(chooseRelease(version, { tags })).toBe(expected);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
