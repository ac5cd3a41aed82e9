import { chmod, link, mkdir, open, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runOrThrow } from '@updraft/kit';
import { exportOciLayout } from '@updraft/oci';
import { makeNode, writeAttribute } from '@updraft/pods';
import { openBench } from './testing/bench.ts';
import type { Bench, Files } from './testing/bench.ts';
import { serveRepository } from './testing/git-server.ts';
import type { GitServer } from './testing/git-server.ts';
import type { BuildRequest } from './types.ts';

let bench: Bench;
let git: GitServer;
beforeAll(async () => {
  bench = await openBench();
  git = await serveRepository({ 'sub/file': 'content', 'sub/Dockerfile': 'FROM scratch\nCOPY file /\n' });
});
afterEach(async () => {
  expect(await bench.leftovers()).toEqual([]);
});
afterAll(async () => {
  await git.close();
  await bench.close();
});

async function listed(files: Files, request?: Partial<BuildRequest>): Promise<string[]> {
  return await bench.files((await bench.built(files, request)).layers);
}

async function fromFolder(folder: string, dockerfile: string): Promise<string[]> {
  return await listed({}, { context: { kind: 'folder', path: folder }, dockerfileText: dockerfile });
}

describe('--link', () => {
  test('takes the place of links and folders below, without looking at them', async () => {
    const below = 'FROM tiny\nRUN ln -s /etc /way && mkdir /name\n';
    const plain = await bench.built({ f: 'f', Dockerfile: `${below}COPY f /way/\nCOPY f /name\n` });
    expect(await bench.added(plain)).toContain('644 0:0 etc/f = "f"');
    const linked = await bench.built({
      f: 'f',
      Dockerfile: `${below}COPY --link f /way/\nCOPY --link f /name\n`,
    });
    expect((await bench.added(linked)).filter((line) => / (way|name)/.test(line))).toEqual([
      '644 0:0 name = "f"',
      '755 0:0 way/',
      '644 0:0 way/f = "f"',
    ]);
  });

  test('is not done again when what is below changes', async () => {
    const files = (text: string) => ({
      f: 'f',
      Dockerfile: `FROM tiny\nRUN echo ${text} > /x\nCOPY --link f /f\n`,
    });
    await bench.build(files('one'));
    expect((await bench.build(files('two'))).outcome).toMatchObject({ steps: 2, cachedSteps: 1 });
  });
});

test('--parents keeps modes and owners of the folders on the way', async () => {
  const lines = await listed({
    Dockerfile: `FROM tiny AS s
RUN mkdir -p /a/b1/c /a/b2/c && chmod 700 /a/b1 && chown app /a/b1 && echo x > /a/b1/c/x && echo y > /a/b2/c/y && echo z > /a/b2/z
FROM scratch
COPY --from=s --parents /a/./b*/c /one/
COPY --from=s --parents --exclude=**/y a/** /two
COPY --from=s --parents a/b2/./z a/b1/c/x /three/
`,
  });
  expect(lines).toEqual([
    '755 0:0 one/',
    '700 500:0 one/b1/',
    '755 0:0 one/b1/c/',
    '644 0:0 one/b1/c/x = "x\\n"',
    '755 0:0 one/b2/',
    '755 0:0 one/b2/c/',
    '644 0:0 one/b2/c/y = "y\\n"',
    '755 0:0 three/',
    '755 0:0 three/a/',
    '700 500:0 three/a/b1/',
    '755 0:0 three/a/b1/c/',
    '644 0:0 three/a/b1/c/x = "x\\n"',
    '644 0:0 three/z = "z\\n"',
    '755 0:0 two/',
    '755 0:0 two/a/',
    '700 500:0 two/a/b1/',
    '755 0:0 two/a/b1/c/',
    '644 0:0 two/a/b1/c/x = "x\\n"',
    '755 0:0 two/a/b2/',
    '755 0:0 two/a/b2/c/',
    '644 0:0 two/a/b2/z = "z\\n"',
  ]);
});

describe('what a file is beside its content', () => {
  const CAPABILITY = '0100000200200000000000000000000000000000';

  test('attributes, hard links, devices, names that are no text: from a context and from a stage', async () => {
    const folder = await bench.context({ 'd/plain': 'p' });
    const inside = (name: string) => path.join(folder, 'd', name);
    await link(inside('plain'), inside('same'));
    await writeFile(inside('able'), 'a');
    writeAttribute(inside('able'), 'security.capability', Buffer.from(CAPABILITY, 'hex'));
    await writeFile(Buffer.concat([Buffer.from(inside('odd')), Buffer.from([0xff, 0x41])]), 'odd');
    makeNode(inside('null'), 0o020644, 259n);
    const dockerfile = 'FROM scratch AS s\nCOPY d /\nFROM scratch\nCOPY --from=s --chown=7:8 / /x/\n';
    const lines = await fromFolder(folder, dockerfile);
    expect(lines).toEqual([
      '755 7:8 x/',
      `644 7:8 x/able = "a" security.capability=${CAPABILITY}`,
      'device 644 7:8 x/null 259',
      '644 7:8 x/odd\udcffA = "odd"',
      '644 7:8 x/plain = "p"',
      '644 7:8 x/same = "p"',
    ]);
  });

  test('an attribute is part of the key', async () => {
    const folder = await bench.context({ f: 'f', Dockerfile: 'FROM scratch\nCOPY f /\n' });
    const request = { context: { kind: 'folder', path: folder } } as const;
    await bench.build({}, request);
    writeAttribute(path.join(folder, 'f'), 'user.x', Buffer.from('1'));
    expect((await bench.build({}, request)).outcome).toMatchObject({ cachedSteps: 0 });
  });

  test('a file with holes takes no more room than before', async () => {
    const folder = await bench.context({
      Dockerfile: 'FROM tiny\nCOPY f /\nRUN [ $(stat -c %b /f) -lt 100 ]\n',
    });
    const handle = await open(path.join(folder, 'f'), 'w');
    await handle.write(Buffer.from('end'), 0, 3, 64 * 1024 * 1024);
    await handle.close();
    const image = await bench.built({}, { context: { kind: 'folder', path: folder } });
    expect(await bench.added(image)).toEqual(['644 0:0 f = 67108867 bytes']);
  });
});

describe('wildcards and links', () => {
  test('a link is followed before the first wildcard, and when it is named; not after one', async () => {
    const folder = await bench.context({ 'real/x': 'x', 'real/y': 'y', 'other/x': 'o' });
    await symlink('real', path.join(folder, 'link'));
    await symlink('../real/y', path.join(folder, 'other/z'));
    expect(await fromFolder(folder, 'FROM scratch\nCOPY link/* /\n')).toEqual([
      '644 0:0 x = "x"',
      '644 0:0 y = "y"',
    ]);
    expect(await fromFolder(folder, 'FROM scratch\nCOPY l*/x /\n')).toEqual([]);
    expect(await fromFolder(folder, 'FROM scratch\nCOPY other/z* /\n')).toEqual(['644 0:0 z = "y"']);
  });
});

describe('ADD of archives', () => {
  test('replaces what is of another kind, and --chmod is not for what is inside', async () => {
    const folder = await bench.context({ 'in/was-folder': 'f', 'in/was-file/x': 'x' });
    await chmod(path.join(folder, 'in/was-folder'), 0o600);
    await runOrThrow('tar', [
      '-cf',
      path.join(folder, 'a.tar'),
      '-C',
      path.join(folder, 'in'),
      'was-folder',
      'was-file',
    ]);
    await mkdir(path.join(folder, 'old/was-folder'), { recursive: true });
    await writeFile(path.join(folder, 'old/was-file'), '');
    await writeFile(path.join(folder, 'old/was-folder/gone'), '');
    const lines = await fromFolder(
      folder,
      'FROM scratch\nCOPY old /d/\nADD --chown=5:5 --chmod=777 a.tar /d/\n',
    );
    expect(lines).toEqual([
      '755 0:0 d/',
      '755 5:5 d/was-file/',
      '644 5:5 d/was-file/x = "x"',
      '600 5:5 d/was-folder = "f"',
    ]);
  });
});

describe('Git', () => {
  test('ADD takes a branch, a tag, a folder; .git only when it is asked for', async () => {
    const Dockerfile = `FROM scratch\nADD ${git.url}#v1 /tag/\nADD ${git.url}#main:sub /sub\nADD --keep-git-dir ${git.url} /kept/\n`;
    const lines = await listed({ Dockerfile });
    expect(lines.filter((line) => !line.includes('.git/'))).toEqual([
      '755 0:0 kept/',
      '644 0:0 kept/first = "first"',
      '755 0:0 kept/sub/',
      '644 0:0 kept/sub/Dockerfile = "FROM scratch\\nCOPY file /\\n"',
      '644 0:0 kept/sub/file = "content"',
      '755 0:0 sub/',
      '644 0:0 sub/Dockerfile = "FROM scratch\\nCOPY file /\\n"',
      '644 0:0 sub/file = "content"',
      '755 0:0 tag/',
      '644 0:0 tag/first = "first"',
    ]);
    expect(lines).toContainEqual(expect.stringContaining('kept/.git/HEAD'));
    const again = await bench.build({ Dockerfile });
    expect(again.outcome).toMatchObject({ cachedSteps: 3 });
  });

  test('a checksum is a commit; what is not there says so', async () => {
    const [first, second] = git.commits;
    expect(
      await listed({ Dockerfile: `FROM scratch\nADD --checksum=${first} ${git.url}#v1 /\n` }),
    ).toHaveLength(1);
    const wrong = await bench.build({
      Dockerfile: `FROM scratch\nADD --checksum=${second} ${git.url}#v1 /\n`,
    });
    expect(wrong.outcome).toMatchObject({
      message: expect.stringContaining(`is ${first}, not ${second}`) as string,
    });
    for (const source of [`${git.url}#nowhere`, `${git.url}#:nofolder`, git.url.replace('x.git', 'y.git')]) {
      const { outcome } = await bench.build({ Dockerfile: `FROM scratch\nADD ${source} /\n` });
      expect(outcome).toMatchObject({ kind: 'failed', position: { line: 2 } });
    }
  });

  test('a repository is a context', async () => {
    const lines = await listed({}, { context: { kind: 'git', url: `${git.url}#main:sub` } });
    expect(lines).toEqual(['644 0:0 file = "content"']);
  });
});

describe('contexts', () => {
  test('an archive, with the folder in it', async () => {
    const folder = await bench.context({ 'c/sub/Dockerfile': 'FROM scratch\nCOPY . /\n', 'c/sub/f': 'f' });
    const archive = path.join(folder, 'c.tar.gz');
    await runOrThrow('tar', ['-czf', archive, '-C', path.join(folder, 'c'), '.']);
    const lines = await listed({}, { context: { kind: 'archive', path: archive, folder: 'sub' } });
    expect(lines).toEqual(['644 0:0 Dockerfile = "FROM scratch\\nCOPY . /\\n"', '644 0:0 f = "f"']);
  });

  test('named ones: a layout, a repository, an archive, a folder to start from, one in place of a stage', async () => {
    const other = await bench.context({ 'o.txt': 'o', '.dockerignore': '.dockerignore\n' });
    const layout = path.join(other, 'layout');
    const source = await bench.built({ Dockerfile: 'FROM scratch\nCOPY <<E /in-layout\nl\nE\nENV L=l\n' });
    await exportOciLayout(bench.options.store, source, layout, 'some:tag');
    await runOrThrow('tar', ['-cf', path.join(other, 'a.tar'), '-C', other, 'o.txt']);
    await writeFile(path.join(other, '.dockerignore'), '*\n!o.txt\n');
    const image = await bench.built(
      {
        Dockerfile: `FROM lay AS one
COPY --from=repo sub/file /
COPY --from=arc o.txt /
FROM never-asked-for AS replaced
RUN exit 1
FROM fold AS two
COPY --from=replaced o.txt /again
FROM two
COPY --from=one / /one
`,
      },
      {
        buildContexts: {
          lay: { kind: 'layout', path: layout },
          repo: { kind: 'git', url: git.url },
          arc: { kind: 'archive', path: path.join(other, 'a.tar') },
          fold: { kind: 'folder', path: other },
          replaced: { kind: 'folder', path: other },
        },
      },
    );
    expect(await bench.files(image.layers)).toEqual([
      '644 0:0 again = "o"',
      '644 0:0 o.txt = "o"',
      '755 0:0 one/',
      '644 0:0 one/file = "content"',
      '644 0:0 one/in-layout = "l\\n"',
      '644 0:0 one/o.txt = "o"',
    ]);
  });

  test('the name of an image is replaced however it is written', async () => {
    const other = await bench.context({ f: 'f' });
    for (const name of ['busybox', 'busybox:latest', 'docker.io/library/busybox']) {
      const buildContexts = { busybox: { kind: 'folder', path: other } } as const;
      expect(await listed({ Dockerfile: `FROM ${name}\n` }, { buildContexts })).toEqual(['644 0:0 f = "f"']);
    }
  });
});
