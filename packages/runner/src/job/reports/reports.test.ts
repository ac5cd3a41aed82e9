import { mkdtempSync, openSync, closeSync, ftruncateSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runOrThrow } from '@updraft/kit';
import { parseDotenv } from './dotenv.ts';
import { readReport } from './read-reports.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'reports-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function read(type: string, ...texts: (string | Buffer)[]) {
  const files = texts.map((text, index) => {
    writeFileSync(path.join(dir, `${index}`), text);
    return `${index}`;
  });
  return readReport(dir, type, files);
}

describe('junit', () => {
  test('cases are counted, over all files, whatever their suites declare', async () => {
    const report = await read(
      'junit',
      `<?xml version="1.0" encoding="UTF-8"?>
      <testsuites tests="99" failures="0"><testsuite name="s" tests="50">
        <testcase name="good" classname="C" time="0.5"/>
        <testcase name="bad" classname="C" time="1,000.25"><failure message="expected 1 &lt; 0">stack</failure></testcase>
        <testcase name="worse" classname="C"><error>TypeError: no
          at x</error><system-out>noise</system-out></testcase>
        <testcase name="later" classname="C"><skipped/></testcase>
      </testsuite></testsuites>`,
      '<testsuite><testcase name="lone" time="x"/></testsuite>',
    );
    expect(report).toEqual({
      kind: 'tests',
      type: 'junit',
      files: 2,
      problems: [],
      tests: 5,
      failures: 1,
      errors: 1,
      skipped: 1,
      seconds: 1000.75,
      failed: [
        { suite: 'C', name: 'bad', kind: 'failure', message: 'expected 1 < 0' },
        { suite: 'C', name: 'worse', kind: 'error', message: 'TypeError: no' },
      ],
    });
  });

  test('text in CDATA and in another encoding', async () => {
    const text =
      '<?xml version="1.0" encoding="ISO-8859-1"?><testsuite><testcase name="\xfc"><failure><![CDATA[a <b>]]></failure></testcase></testsuite>';
    expect(await read('junit', Buffer.from(text, 'latin1'))).toMatchObject({
      failed: [{ name: 'ü', message: 'a <b>' }],
    });
  });

  test('a file that ends halfway is a problem; what was read counts', async () => {
    const report = await read('junit', '<testsuite><testcase name="a"/><testcase name="b">');
    expect(report).toMatchObject({ kind: 'tests', tests: 1 });
    expect(report.problems).toHaveLength(1);
  });
});

describe('hostile reports', () => {
  test('entities are never expanded', async () => {
    const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>
      <testsuite><testcase name="&b;&f;"/></testsuite>`;
    const report = await read('junit', bomb);
    expect(report.problems[0]).toMatch(/entity/);
    expect(JSON.stringify(report)).not.toContain('root:');
  });

  test('elements without end, a hundred megabytes, a device, a link', async () => {
    expect((await read('junit', '<a>'.repeat(100_000))).problems[0]).toMatch(/more than 200 deep/);
    const large = openSync(path.join(dir, 'large'), 'w');
    ftruncateSync(large, 100 * 1024 * 1024);
    closeSync(large);
    symlinkSync('/etc/passwd', path.join(dir, 'link'));
    symlinkSync('/etc', path.join(dir, 'folder'));
    await runOrThrow('mkfifo', [path.join(dir, 'pipe')]);
    const report = await readReport(dir, 'junit', ['large', 'link', 'folder/passwd', 'pipe']);
    expect(report).toMatchObject({ tests: 0 });
    expect(report.problems).toEqual([
      expect.stringContaining('at most'),
      expect.stringContaining('is a link'),
      expect.stringContaining('behind a link'),
      expect.stringContaining('no plain file'),
    ]);
  });

  test('tens of thousands of failures are counted and kept small', async () => {
    const cases = '<testcase name="n" classname="c" time="0.001"><failure message="m"/></testcase>'.repeat(
      40_000,
    );
    const report = await read('junit', `<testsuite>${cases}</testsuite>`);
    expect(report).toMatchObject({ kind: 'tests', tests: 40_000, failures: 40_000 });
    expect(report.kind === 'tests' && report.failed).toHaveLength(100);
  });
});

describe('coverage_report', () => {
  test('Cobertura: its sums, else its lines, over all files', async () => {
    const summed = '<coverage line-rate="0.75" lines-covered="3" lines-valid="4"><packages/></coverage>';
    expect(await read('coverage_report', summed)).toMatchObject({
      kind: 'coverage',
      lineRate: 0.75,
      linesCovered: 3,
      linesValid: 4,
    });
    const lines = '<coverage><line number="1" hits="2"/><line number="2" hits="0"/></coverage>';
    expect(await read('coverage_report', summed, lines)).toMatchObject({
      lineRate: 4 / 6,
      linesCovered: 4,
      linesValid: 6,
    });
    expect(await read('coverage_report', '<coverage line-rate="0.5"/>')).toMatchObject({
      lineRate: 0.5,
      linesValid: undefined,
    });
  });

  test('JaCoCo: the report’s own counter', async () => {
    const text =
      '<report name="x"><package><counter type="LINE" missed="9" covered="9"/></package><counter type="LINE" missed="1" covered="3"/></report>';
    expect(await read('coverage_report', text)).toMatchObject({
      lineRate: 0.75,
      linesCovered: 3,
      linesValid: 4,
    });
  });

  test('anything else is a problem', async () => {
    expect((await read('coverage_report', '<html/>')).problems[0]).toMatch(/neither Cobertura nor JaCoCo/);
  });
});

describe('findings', () => {
  test('code quality and security reports by severity', async () => {
    const issues = [
      { severity: 'major' },
      { severity: 'minor' },
      { severity: 'MAJOR' },
      { severity: '__proto__' },
      null,
    ];
    expect(await read('codequality', JSON.stringify(issues))).toMatchObject({
      kind: 'findings',
      total: 5,
      bySeverity: { major: 2, minor: 1, unknown: 2 },
    });
    const scan = { version: '15', vulnerabilities: [{ severity: 'Critical' }, { severity: 'Low' }] };
    expect(await read('sast', JSON.stringify(scan))).toMatchObject({
      total: 2,
      bySeverity: { critical: 1, low: 1 },
    });
  });

  test('what is no report is a problem', async () => {
    expect((await read('codequality', 'nope', '{}')).problems).toHaveLength(2);
  });
});

test('other reports are kept, not read', async () => {
  expect(await read('terraform', '{}')).toEqual({ kind: 'kept', type: 'terraform', files: 1, problems: [] });
});

describe('dotenv', () => {
  test('values are literal but for blanks around them; the last of a key wins', () => {
    expect(parseDotenv('A=1\nB="x y"\nA = 2 \r\nC=a=b\nE=')).toEqual({
      kind: 'variables',
      variables: { A: '2', B: '"x y"', C: 'a=b', E: '' },
    });
  });

  test.each([
    ['A=1\n\nB=2', /line 2 .*no blank lines/],
    ['# c\nA=1', /line 1 .*no comments/],
    ['A', /line 1 is not/],
    ['=x', /line 1/],
    ['A-B=1', /line 1/],
    ['export A=1', /line 1/],
    [`A=${'x'.repeat(6000)}`, /at most 5120/],
    [Array.from({ length: 151 }, (_, index) => `A${index}=1`).join('\n'), /at most 150/],
  ])('GitLab refuses %j', (text, why) => {
    const read = parseDotenv(text);
    expect(read.kind === 'refused' ? read.why : '').toMatch(why);
  });

  test('more than is free is a warning', () => {
    const text = Array.from({ length: 21 }, (_, index) => `A${index}=1`).join('\n');
    expect(parseDotenv(text)).toMatchObject({ kind: 'variables', warning: expect.stringContaining('20') });
  });
});
