import { chmod, mkdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runOrThrow } from '@updraft/kit';
import { openBench, TIME } from './testing/bench.ts';
import type { Bench, Files } from './testing/bench.ts';

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

const FILES: Files = {
  'a.txt': 'a',
  'b.txt': 'b',
  'c.md': 'c',
  'dir/d.txt': 'd',
  'dir/deep/e.txt': 'e',
  'dir/deep/f.md': 'f',
};

/** What instructions add to an image with nothing but `existing` folders in it. */
async function copied(instructions: string, files: Files = FILES): Promise<string[]> {
  const image = await bench.built({
    ...files,
    '.dockerignore': 'Dockerfile\n.dockerignore\n',
    Dockerfile: instructions,
  });
  return await bench.files(image.layers);
}

describe('COPY', () => {
  test.each([
    ['a file to a name', 'COPY a.txt /x', ['644 0:0 x = "a"']],
    ['a file into a folder', 'COPY a.txt /x/y/', ['755 0:0 x/', '755 0:0 x/y/', '644 0:0 x/y/a.txt = "a"']],
    [
      'several into a folder',
      'COPY a.txt c.md /x/',
      ['755 0:0 x/', '644 0:0 x/a.txt = "a"', '644 0:0 x/c.md = "c"'],
    ],
    ['a pattern', 'COPY *.txt /', ['644 0:0 a.txt = "a"', '644 0:0 b.txt = "b"']],
    ['a pattern that matches nothing', 'COPY *.zip a.txt /', ['644 0:0 a.txt = "a"']],
    ['a pattern over folders', 'COPY d*/d?ep/*.md /', ['644 0:0 f.md = "f"']],
    [
      'the content of a folder',
      'COPY dir/deep /x',
      ['755 0:0 x/', '644 0:0 x/e.txt = "e"', '644 0:0 x/f.md = "f"'],
    ],
    [
      'relative to WORKDIR',
      'WORKDIR /w\nCOPY a.txt .\nCOPY b.txt sub/',
      ['755 0:0 w/', '644 0:0 w/a.txt = "a"', '755 0:0 w/sub/', '644 0:0 w/sub/b.txt = "b"'],
    ],
    [
      'owner and mode, also of the folders made on the way',
      'COPY --chown=5:6 --chmod=640 a.txt /x/',
      ['640 5:6 x/', '640 5:6 x/a.txt = "a"'],
    ],
    [
      'a mode: of the folders on the way, not of the one that a folder becomes',
      'COPY --chmod=700 dir/deep /x/y\nCOPY --chmod=u+x a.txt /z/',
      [
        '700 0:0 x/',
        '755 0:0 x/y/',
        '700 0:0 x/y/e.txt = "e"',
        '700 0:0 x/y/f.md = "f"',
        '755 0:0 z/',
        '744 0:0 z/a.txt = "a"',
      ],
    ],
    ['a symbolic mode', 'COPY --chmod=u=rwX,g+w,o= dir/deep/e.txt /', ['660 0:0 e.txt = "e"']],
    ['variables', 'ENV N=a E=txt\nCOPY ${N}.$E /${NONE:-y}', ['644 0:0 y = "a"']],
    ['names with blanks, in JSON form', 'COPY ["a.txt", "/x y"]', ['644 0:0 x y = "a"']],
    [
      '--parents',
      'COPY --parents ./dir/./deep/*.md a.txt /x/',
      ['755 0:0 x/', '644 0:0 x/a.txt = "a"', '755 0:0 x/deep/', '644 0:0 x/deep/f.md = "f"'],
    ],
    [
      '--parents with **',
      'COPY --parents **/*.md /x/',
      [
        '755 0:0 x/',
        '644 0:0 x/c.md = "c"',
        '755 0:0 x/dir/',
        '755 0:0 x/dir/deep/',
        '644 0:0 x/dir/deep/f.md = "f"',
      ],
    ],
    ['--exclude', 'COPY --exclude=*.txt --exclude=dir . /', ['644 0:0 c.md = "c"']],
    ['--exclude below', 'COPY --exclude=**/*.txt dir /', ['755 0:0 deep/', '644 0:0 deep/f.md = "f"']],
    ['--parents with nothing that matches', 'COPY --parents dir/./none* /x/', ['755 0:0 x/']],
    ['--exclude of all', 'COPY --exclude=* d* *.txt /x', ['755 0:0 x/']],
    [
      '--exclude of its own name',
      'COPY --exclude=dir --exclude=deep dir /x',
      ['755 0:0 x/', '644 0:0 x/d.txt = "d"'],
    ],
    ['--link', 'COPY --link a.txt /', ['644 0:0 a.txt = "a"']],
    [
      'here-documents',
      'ENV V=v\nCOPY --chmod=755 <<one <<"two" /x/\n$V \\$V "q"\none\n$V\ntwo',
      ['755 0:0 x/', '755 0:0 x/one = "v $V \\"q\\"\\n"', '755 0:0 x/two = "$V\\n"'],
    ],
    [
      'over what is there: a file takes a file’s and a link’s place',
      'COPY a.txt /x\nCOPY b.txt /x',
      ['644 0:0 x = "b"'],
    ],
  ])('%s', async (_, instructions, expected) => {
    expect(await copied(`FROM scratch\n${instructions}\n`)).toEqual(expected);
  });

  test.each([
    ['COPY missing /', /2:6: missing is not in the build context/],
    ['COPY a.txt b.txt /x', null],
    ['COPY --from=0 a /', /2:1: --from=0 is the stage itself/],
    ['COPY --from=unknown a /', /2:1: the image unknown cannot be had/],
    ['COPY --chown=ghost a.txt /', null],
    ['COPY --link --chown=ghost a.txt /', /2:13: --link looks at no file below, so --chown needs numbers/],
    ['COPY <<.. /x/\n..\n', /is no name for a file/],
    ['COPY --checksum=x a.txt /', /COPY has no flag --checksum/],
    ['ADD --checksum=sha256:0 a.txt /', /neither sha256: and 64 hex digits nor a commit/],
    [`ADD --checksum=sha256:${'0'.repeat(64)} a.txt /`, /2:5: --checksum needs one source, a URL or a Git/],
    ['COPY https://x.invalid/f /', /2:6: COPY takes no URL and no Git repository; ADD does/],
    ['COPY --parents missing/*/x a.txt /', null],
    ['COPY --parents missing/x /', /missing\/x is not in the build context/],
    ['COPY --chmod=u+q a.txt /', /2:1: --chmod: u\+q is no mode/],
    ['COPY a.txt /x\nCOPY dir /x', /3:6: the target is in the image and not a folder/],
    ['COPY dir /x\nCOPY a.txt /x/deep/\nCOPY a.txt /y/\nCOPY dir/deep/e.txt /x', null],
  ])('%s', async (instructions, message) => {
    const { outcome } = await bench.build({ ...FILES, Dockerfile: `FROM scratch\n${instructions}\n` });
    if (message) expect(outcome).toMatchObject({ message: expect.stringMatching(message) as string });
    else expect(outcome.kind).toBe('built');
  });

  test('names of users and groups are the image’s', async () => {
    const image = await bench.built({
      ...FILES,
      Dockerfile:
        'FROM tiny\nCOPY --chown=app a.txt /x\nCOPY --chown=app:other a.txt /y\nCOPY --chown=app: a.txt /z\n',
    });
    expect(await bench.added(image)).toEqual([
      '644 500:600 x = "a"',
      '644 500:700 y = "a"',
      '644 500:0 z = "a"',
    ]);
  });

  test('from a stage: owners, modes, links and times are kept', async () => {
    const image = await bench.built({
      Dockerfile: `FROM tiny AS s
RUN mkdir -p /s/d && echo x > /s/f && chown app:team /s/f && chmod 4711 /s/f && ln -s /etc/passwd /s/d/link && ln /s/f /s/same && touch -d @1000 /s/f
FROM scratch
COPY --from=s /s /t/
COPY --from=0 /s/f /u
`,
    });
    expect(await bench.files(image.layers)).toEqual([
      '755 0:0 t/',
      '755 0:0 t/d/',
      'link 0:0 t/d/link -> /etc/passwd',
      '4711 500:600 t/f = "x\\n"',
      '4711 500:600 t/same = "x\\n"',
      '4711 500:600 u = "x\\n"',
    ]);
  });

  test('ignore files: own file of a Dockerfile first, exceptions, and a missing source says so', async () => {
    const files = { ...FILES, '.dockerignore': '*\n!dir\ndir/deep/*.txt\n' };
    const image = await bench.built({ ...files, Dockerfile: 'FROM scratch\nCOPY . /\n' });
    expect(await bench.files(image.layers)).toEqual([
      '755 0:0 dir/',
      '644 0:0 dir/d.txt = "d"',
      '755 0:0 dir/deep/',
      '644 0:0 dir/deep/f.md = "f"',
    ]);
    const { outcome } = await bench.build({ ...files, Dockerfile: 'FROM scratch\nCOPY a.txt /\n' });
    expect(outcome).toMatchObject({
      message: expect.stringContaining('.dockerignore leaves it out') as string,
    });
    const empty = await bench.build({
      ...FILES,
      '.dockerignore': '**\n!dir/none\n',
      Dockerfile: 'FROM scratch\nCOPY dir /x\n',
    });
    expect(empty.outcome).toMatchObject({
      message: expect.stringContaining('2:6: dir is not in the build context') as string,
    });
    const wrong = await bench.build({ '.dockerignore': 'a\n!\n', Dockerfile: 'FROM scratch\nCOPY . /\n' });
    expect(wrong.outcome).toMatchObject({
      message: expect.stringContaining('.dockerignore:2: ! is no valid') as string,
    });
    const small = await bench.built({ a: 'a', dockerfile: 'FROM scratch\nCOPY a /\n' });
    expect(await bench.files(small.layers)).toEqual(['644 0:0 a = "a"']);
    const own = await bench.built(
      { ...files, 'x/D': 'FROM scratch\nCOPY a.txt /\n', 'x/D.dockerignore': 'dir\n' },
      { dockerfile: 'x/D' },
    );
    expect(await bench.files(own.layers)).toEqual(['644 0:0 a.txt = "a"']);
  });

  test('named contexts: a folder, an image, and one in place of a FROM', async () => {
    const other = await bench.context({ 'o.txt': 'o' });
    const image = await bench.built(
      { Dockerfile: 'FROM replaced\nCOPY --from=files o.txt /\nCOPY --from=img /etc/group /g\n' },
      {
        buildContexts: {
          files: { kind: 'folder', path: other },
          img: { kind: 'image', reference: 'tiny' },
          replaced: { kind: 'image', reference: 'tiny' },
        },
      },
    );
    expect((await bench.added(image)).map((line) => line.split(' = ')[0])).toEqual([
      '644 0:0 g',
      '644 0:0 o.txt',
    ]);
  });
});

describe('ADD', () => {
  test('unpacks archives of the context; a compressed file that is none is copied', async () => {
    const folder = await bench.context({
      'in/x/y.txt': 'y',
      'not.gz': 'plain',
      Dockerfile: 'FROM scratch\nADD a.tar.gz /t\nADD b.gz not.gz /u/\nADD --unpack=false a.tar.gz /v/\n',
    });
    await runOrThrow('tar', [
      '-czf',
      path.join(folder, 'a.tar.gz'),
      '--owner=7',
      '--group=8',
      '-C',
      path.join(folder, 'in'),
      'x',
    ]);
    await writeFile(path.join(folder, 'b.gz'), gzipSync('no archive'));
    const image = await bench.built({}, { context: { kind: 'folder', path: folder } });
    const lines = (await bench.files(image.layers)).map((line) => line.split(' = ')[0]);
    expect(lines).toEqual([
      '755 0:0 t/',
      '755 7:8 t/x/',
      '644 7:8 t/x/y.txt',
      '755 0:0 u/',
      '644 0:0 u/b.gz',
      '644 0:0 u/not.gz',
      '755 0:0 v/',
      '644 0:0 v/a.tar.gz',
    ]);
  });

  test('a link in an archive leads nowhere outside of the image', async () => {
    const folder = await bench.context({
      'e/passwd': 'evil',
      Dockerfile: 'FROM tiny\nADD a.tar b.tar /\nCOPY e/ /out/\n',
    });
    await symlink('/etc', path.join(folder, 'out'));
    await runOrThrow('tar', ['-cf', path.join(folder, 'a.tar'), '-C', folder, 'out']);
    await runOrThrow('tar', [
      '-cf',
      path.join(folder, 'b.tar'),
      '-C',
      folder,
      '--transform=s,^e,out,',
      'e/passwd',
    ]);
    const { outcome } = await bench.build({}, { context: { kind: 'folder', path: folder } });
    expect(JSON.stringify(await bench.files(bench.base.layers, 'etc'))).not.toContain('evil');
    if (outcome.kind !== 'built') throw new Error(outcome.message);
    expect(await bench.added(outcome.image)).toEqual(['644 0:0 etc/passwd = "evil"', 'link 0:0 out -> /etc']);
    expect(await readFile('/etc/passwd', 'utf8')).not.toBe('evil');
  });
});

const served =
  (body: string): typeof fetch =>
  () =>
    Promise.resolve(new Response(body));
const sum = (hex: string) => `--checksum=sha256:${hex.padEnd(64, '0')}`;

describe('ADD of a URL', () => {
  test('downloads, with mode 600, and checks', async () => {
    const own = await openBench({ fetch: served('hi') });
    try {
      const good = '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4';
      const image = await own.built({
        Dockerfile: `FROM scratch\nADD https://x.invalid/d/f.txt?q /t/\nADD ${sum(good)} http://x.invalid/f /g\n`,
      });
      expect(await own.files(image.layers)).toEqual([
        '600 0:0 g = "hi"',
        '755 0:0 t/',
        '600 0:0 t/f.txt = "hi"',
      ]);
      const { outcome } = await own.build({
        Dockerfile: `FROM scratch\nADD ${sum('0')} http://x.invalid/f /g\n`,
      });
      expect(outcome).toMatchObject({ message: expect.stringMatching(/2:1: .* is sha256:8f43/) as string });
      expect(await own.leftovers()).toEqual([]);
    } finally {
      await own.close();
    }
  });
});

describe('hostile files', () => {
  test('links of the context are followed inside it only', async () => {
    const folder = await bench.context({
      Dockerfile: 'FROM scratch\nCOPY link/hostname /a\n',
      'etc/hostname': 'mine',
    });
    await symlink('/etc', path.join(folder, 'link'));
    const image = await bench.built({}, { context: { kind: 'folder', path: folder } });
    expect(await bench.files(image.layers)).toEqual(['644 0:0 a = "mine"']);
  });

  test('a Dockerfile or ignore file that links out of the context is not read', async () => {
    const folder = await bench.context({ x: '' });
    await symlink('/etc/passwd', path.join(folder, 'Dockerfile'));
    const { outcome } = await bench.build({}, { context: { kind: 'folder', path: folder } });
    expect(outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('no such Dockerfile') as string,
    });
  });

  test('a job that puts a link in the place of its folders gains nothing', async () => {
    const folder = await bench.context({ 'c/Dockerfile': 'FROM scratch\nCOPY . /\n', 'c/f': 'f' });
    await symlink('c', path.join(folder, 'link'));
    const context = { kind: 'folder', path: path.join(folder, 'link') } as const;
    expect((await bench.build({}, { context })).outcome.kind).toBe('built');
    const { outcome } = await bench.build({}, { context, confined: true });
    expect(outcome).toMatchObject({
      message: expect.stringContaining('changed while it was being read') as string,
    });
    await symlink('/etc/shadow', path.join(folder, 'D'));
    const absolute = {
      context: { kind: 'folder', path: path.join(folder, 'c') },
      dockerfile: path.join(folder, 'D'),
    } as const;
    const shadow = await bench.build({}, { ...absolute, confined: true });
    expect(shadow.outcome).toMatchObject({
      message: expect.stringContaining('no such Dockerfile') as string,
    });
  });

  test('folders that are swapped for links while they are read lead nowhere', async () => {
    const folder = await bench.context({
      Dockerfile: 'FROM scratch\nCOPY d /\n',
      'd/e/f': 'f',
      'other/e/f': 'f',
    });
    await mkdir(path.join(folder, 'secret'));
    await writeFile(path.join(folder, 'secret/f'), 'secret');
    await symlink(path.join(folder, 'secret'), path.join(folder, 'to-secret'));
    const swapping = new AbortController();
    const swap = (async () => {
      while (!swapping.signal.aborted) {
        await rename(path.join(folder, 'd/e'), path.join(folder, 'kept'));
        await rename(path.join(folder, 'to-secret'), path.join(folder, 'd/e'));
        await new Promise(setImmediate);
        await rename(path.join(folder, 'd/e'), path.join(folder, 'to-secret'));
        await rename(path.join(folder, 'kept'), path.join(folder, 'd/e'));
      }
    })();
    for (let round = 0; round < 30; round += 1) {
      const { outcome } = await bench.build({}, { context: { kind: 'folder', path: folder }, cache: false });
      const files = outcome.kind === 'built' ? await bench.files(outcome.image.layers) : [];
      expect(files.join()).not.toContain('= "secret"');
    }
    swapping.abort();
    await swap;
  });

  test('a target that links out of the image stays inside', async () => {
    const image = await bench.built({
      'x/f': 'f',
      Dockerfile:
        'FROM tiny\nRUN ln -s ../../../../tmp/updraft-escaped /up && ln -s /nowhere /abs\nCOPY x /up\nCOPY x/f /abs/\n',
    });
    const added = (await bench.added(image)).filter((line) => line.includes(' = '));
    expect(added).toEqual(['644 0:0 nowhere/f = "f"', '644 0:0 tmp/updraft-escaped/f = "f"']);
  });

  test('pipes block nothing, sockets become empty files', async () => {
    const folder = await bench.context({ Dockerfile: 'FROM scratch\nCOPY d /\n', 'd/f': 'f' });
    await runOrThrow('mkfifo', ['-m', '640', path.join(folder, 'd/pipe')]);
    const server = createServer().listen(path.join(folder, 'd/socket'));
    await once(server, 'listening');
    const image = await bench.built({}, { context: { kind: 'folder', path: folder } });
    server.close();
    expect(await bench.files(image.layers)).toEqual([
      '644 0:0 f = "f"',
      'pipe 640 0:0 pipe',
      '755 0:0 socket = ""',
    ]);
  });
});

test('the same input gives the same image, wherever and whenever it is built', async () => {
  const other = await openBench();
  try {
    const digests = [];
    for (const each of [bench, other]) {
      const folder = await each.context({
        Dockerfile: 'FROM scratch\nWORKDIR /w\nCOPY . .\nENV A=b\n',
        'z/a': 'a',
        'b c': 'b',
      });
      await mkdir(path.join(folder, 'empty'));
      await chmod(path.join(folder, 'z'), 0o755);
      await utimes(path.join(folder, 'z/a'), Math.random() * 1e9, 1e9);
      await writeFile(path.join(folder, '.dockerignore'), '');
      digests.push(
        (await each.built({}, { context: { kind: 'folder', path: folder }, timestampMs: TIME })).digest,
      );
    }
    expect(digests[0]).toBe(digests[1]);
  } finally {
    await other.close();
  }
});
