import { describe, expect, it } from 'vitest';
import { hadolintCommand } from './command.ts';
import type { HadolintIo } from './command.ts';

interface Setup {
  readonly files?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly shellcheck?: HadolintIo['shellcheck'];
}

async function hadolint(argv: string, { files = {}, stdin = '', env = {}, shellcheck }: Setup = {}) {
  let out = '';
  let err = '';
  const code = await hadolintCommand(argv.split(' ').filter(Boolean), {
    readFile: async (path) => files[path],
    stdin: async () => stdin,
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
    env,
    ...(shellcheck && { shellcheck }),
  });
  return { code, out, err };
}

const codes = async (text: string, argv = 'x') =>
  (await hadolint(argv, { files: { x: text } })).out.match(/DL\d+/g) ?? [];

const report = async (format: string, text: string = BAD) =>
  (await hadolint(`-f ${format} x`, { files: { x: text } })).out;

const BAD = 'FROM debian\nRUN cd /x\nCOPY a b c\n';
const GOOD = 'FROM debian:12\nCOPY a /b\n';
const STYLE = 'FROM debian:12\nLABEL Bad=x\n';

describe('hadolint', () => {
  it('lists findings by line and exits 1', async () => {
    const { code, out } = await hadolint('Dockerfile', { files: { Dockerfile: BAD } });
    expect(code).toBe(1);
    expect(out.split('\n').map((line) => line.split(': ')[0])).toEqual([
      'Dockerfile:1 DL3006 warning',
      'Dockerfile:2 DL3003 warning',
      'Dockerfile:3 DL3021 error',
      'Dockerfile:3 DL3045 warning',
      '',
    ]);
  });

  it('exits 0 with nothing to say', async () => {
    expect(await hadolint('Dockerfile', { files: { Dockerfile: GOOD } })).toMatchObject({ code: 0, out: '' });
  });

  it('says once that ShellCheck is not there', async () => {
    const { err } = await hadolint('a b', { files: { a: GOOD, b: GOOD } });
    expect(err.match(/ShellCheck is not available/g)).toHaveLength(1);
  });

  it('reads the names that other releases give to keys', async () => {
    const config = 'output-format: json\ntrusted-registries: [x.example]\nverbose: true\n';
    const { out, err } = await hadolint('a', {
      files: { a: 'FROM y.example/b:1\n', '.hadolint.yaml': config },
    });
    expect(err).not.toContain('.hadolint.yaml');
    expect((JSON.parse(out) as readonly { code: string }[]).map(({ code }) => code)).toEqual(['DL3026']);
  });

  it('switches sets of rules on, by flag, file and environment', async () => {
    const files = { a: 'FROM debian:12\nUSER app\n' };
    const codesOf = async (argv: string, setup: Setup) =>
      (await hadolint(argv, setup)).out.match(/(?:DL|UP)\d+/g);
    expect(await codesOf('a', { files })).toBeNull();
    expect(await codesOf('--rules newest a', { files })).toEqual(['DL3066']);
    expect(await codesOf('a', { files, env: { HADOLINT_RULES: 'all' } })).toEqual(['UP1004', 'DL3066']);
    expect(await codesOf('a', { files: { ...files, '.hadolint.yaml': 'rules: newest\n' } })).toEqual([
      'DL3066',
    ]);
    expect(await codesOf('--style UP1004 a', { files })).toEqual(['UP1004']);
    expect((await hadolint('--rules every a', { files })).err).toContain(
      '--rules knows compatible, newest, all',
    );
  });

  it('explains a rule', async () => {
    expect(await hadolint('--explain dl3008')).toMatchObject({
      code: 0,
      out: expect.stringContaining('DL3008 (warning'),
    });
    expect(await hadolint('--explain DL9999')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no rule DL9999'),
    });
  });

  it('reads standard input as -', async () => {
    expect((await hadolint('-', { stdin: BAD })).out).toMatch(/^-:1 DL3006 /);
    expect((await hadolint('/dev/stdin', { stdin: BAD })).out).toMatch(/^\/dev\/stdin:1 DL3006 /);
  });

  it('reports a file that does not parse whatever the threshold', async () => {
    const broken = await hadolint('-t error x', { files: { x: 'FROM a:1\nFORM b\n' } });
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/^x:2:1 /);
  });

  it.each([
    ['no file', '', 'no Dockerfile'],
    ['an unknown option', '--formt json x', 'unknown option --formt (did you mean --format?)'],
    ['an unknown format', '-f yaml x', 'unknown format yaml'],
    ['an unknown threshold', '-t fatal x', 'unknown failure threshold fatal'],
    ['an option without its value', 'x --format', 'needs a value'],
    ['a missing file', 'nothere', 'nothere: there is no such file'],
  ])('exits 1 on %s', async (_, argv, message) => {
    const { code, err } = await hadolint(argv);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });

  it.each([
    ['-t error', STYLE, 0],
    ['', STYLE, 0],
    ['-t style', STYLE, 1],
    ['--failure-threshold=none', STYLE, 1],
    ['-t error', BAD, 1],
    ['--no-fail', BAD, 0],
    ['-f codeclimate', BAD, 0],
    ['-f codacy', BAD, 0],
    ['-f gitlab_codeclimate', BAD, 1],
    ['--ignore DL3006 --ignore DL3003 --ignore=DL3021,DL3045', BAD, 0],
    ['--info DL3006 --warning DL3021 --style DL3003 -t error', BAD, 0],
  ])('with %j exits as the original', async (argv, text, code) => {
    expect((await hadolint(`${argv} x`, { files: { x: text } })).code).toBe(code);
  });
});

describe('settings', () => {
  const config = 'ignored: [DL3006]\nfailure-threshold: error\noverride:\n  info: [DL3021]\nformat: json\n';

  it('come from .hadolint.yaml', async () => {
    const { code, out } = await hadolint('x', { files: { x: BAD, '.hadolint.yaml': config } });
    expect(code).toBe(0);
    expect(JSON.parse(out).map((row: { code: string; level: string }) => [row.code, row.level])).toEqual([
      ['DL3003', 'warning'],
      ['DL3021', 'info'],
      ['DL3045', 'warning'],
    ]);
  });

  it('of flags beat the file, which beats the environment; lists add up', async () => {
    const files = { x: BAD, '.hadolint.yaml': config };
    const env = { HADOLINT_FORMAT: 'gnu', HADOLINT_FAILURE_THRESHOLD: 'style', HADOLINT_IGNORE: 'DL3003' };
    const { code, out } = await hadolint('-f tty --ignore DL3045 x', { files, env });
    expect(out).toMatch(/^x:3 DL3021 info: .*\n$/);
    expect(code).toBe(0);
    const alone = await hadolint('x', { files: { x: BAD }, env });
    expect(alone.out).toMatch(/^hadolint:x:1: DL3006 warning: /);
  });

  it('come from the folder for configuration, or a named file', async () => {
    const files = { x: BAD, '/c/hadolint.yaml': 'no-fail: true', 'other.yml': 'no-fail: false' };
    const env = { XDG_CONFIG_HOME: '/c' };
    expect((await hadolint('x', { files, env })).code).toBe(0);
    expect((await hadolint('-c other.yml x', { files, env })).code).toBe(1);
  });

  it('that are broken are reported and left out', async () => {
    const broken = await hadolint('x', { files: { x: GOOD, '.hadolint.yaml': 'ignored: [a' } });
    expect(broken.code).toBe(0);
    expect(broken.err).toContain('.hadolint.yaml is not valid');
    const odd = await hadolint('x', { files: { x: GOOD, '.hadolint.yaml': 'ignore: [DL3006]' } });
    expect(odd.err).toContain('the key ignore is not known');
  });

  it('know trusted registries and labels', async () => {
    const yaml =
      'trustedRegistries: ["*.example.org"]\nlabel-schema: {version: semver}\nstrict-labels: true\n';
    const text = 'FROM other.org/a:1\nLABEL version=one more=x\n';
    const { out } = await hadolint('x', { files: { x: text, '.hadolint.yaml': yaml } });
    expect(out.match(/DL\d+/g)).toEqual(['DL3026', 'DL3050', 'DL3056']);
  });
});

describe('pragmas', () => {
  it.each([
    ['FROM a:1\n# hadolint ignore=DL3002\nUSER root', []],
    ['FROM a:1\n# hadolint ignore = DL3001 , DL3002 # why\nUSER root', []],
    ['FROM a:1\n# hadolint ignore=DL3001\nUSER root', ['DL3002']],
    ['# hadolint ignore=DL3002\nFROM a:1\nUSER root', ['DL3002']],
    ['FROM a:1\n# hadolint ignore=crazy,DL3002\nUSER root', ['DL3002']],
    ['# hadolint global ignore=DL3002, DL3006\nFROM a\nUSER root', []],
  ])('%j leaves %j', async (text, left) => {
    expect(await codes(text)).toEqual(left);
  });

  it('are not heeded when that is forbidden', async () => {
    expect(await codes('FROM a:1\n# hadolint ignore=DL3002\nUSER root', '--disable-ignore-pragma x')).toEqual(
      ['DL3002'],
    );
  });
});

describe('ShellCheck', () => {
  it('gets each script with its shell and its variables, and its findings sit on the RUN', async () => {
    const seen: [string, string][] = [];
    const text =
      'FROM a:1\nENV V=1\nRUN echo $V\nSHELL ["/bin/bash", "-c"]\nRUN a \\\n  b\nSHELL ["pwsh"]\nRUN c';
    const { out } = await hadolint('x', {
      files: { x: text },
      shellcheck: async (script, shell) => {
        seen.push([shell, script]);
        const finding = { severity: 'info', line: 9, column: 3, message: 'quote it' } as const;
        return [
          { ...finding, code: 'SC2086' },
          { ...finding, code: 'SC1090' },
        ];
      },
    });
    expect(seen.map(([shell]) => shell)).toEqual(['sh', 'bash']);
    expect(seen[0]?.[1]).toContain('export V=1\necho $V\n');
    expect(out).toBe('x:3 SC2086 info: quote it\nx:5 SC2086 info: quote it\n');
  });

  it('that fails is said, and the rules still hold', async () => {
    const { err, code } = await hadolint('x', {
      files: { x: `${BAD}RUN x` },
      shellcheck: () => Promise.reject(new Error('gone')),
    });
    expect(err).toContain('ShellCheck failed');
    expect(code).toBe(1);
  });
});

describe('formats', () => {
  it('json', async () => {
    expect(JSON.parse(await report('json'))[0]).toEqual({
      code: 'DL3006',
      column: 1,
      file: 'x',
      level: 'warning',
      line: 1,
      message: expect.stringContaining('base image'),
    });
    expect(await report('json', GOOD)).toBe('[]\n');
  });

  it('checkstyle escapes what could break out', async () => {
    const out = await report('checkstyle');
    expect(out).toMatch(
      /^<\?xml version='1.0' encoding='UTF-8'\?><checkstyle version='4.3'><file name='x' ><error line='1'/,
    );
    expect(out).toContain("severity='warning'");
    expect(out).not.toContain('`');
  });

  it('codeclimate ends issues with NUL; GitLab’s has unique fingerprints', async () => {
    const issues = (await report('codeclimate')).split('\0');
    expect(issues).toHaveLength(5);
    expect(JSON.parse(issues[0] ?? '')).toMatchObject({ check_name: 'DL3006', severity: 'major' });
    const rows = JSON.parse(await report('gitlab_codeclimate', `${BAD}COPY a b c`)) as {
      fingerprint: string;
    }[];
    expect(new Set(rows.map(({ fingerprint }) => fingerprint)).size).toBe(rows.length);
    expect(rows[0]?.fingerprint).toMatch(/^[0-9a-f]{40}$/);
  });

  it('sarif and sonarqube', async () => {
    expect(JSON.parse(await report('sarif')).runs[0].results[2]).toMatchObject({
      ruleId: 'DL3021',
      level: 'error',
    });
    expect(JSON.parse(await report('sonarqube')).issues[2]).toMatchObject({ ruleId: 'DL3021', type: 'BUG' });
  });

  it('name the file as the report shall have it', async () => {
    const { out } = await hadolint('-f checkstyle --file-path-in-report other/Dockerfile x', {
      files: { x: BAD },
    });
    expect(out).toContain("<file name='other/Dockerfile' >");
  });
});
