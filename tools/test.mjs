// `npm test`: every check there is, cheapest first, and one closing line over all of them. The static checks count
// as one test each. `npm test -- unit integration` runs only those parts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, setUp } from './setup.mjs';

const results = path.join(root, 'dist/test-results');
const node = process.execPath;
const bin = (name) => path.join(root, 'node_modules/.bin', name);
const vitest = (project) => [bin('vitest'), ['run', '--project', project], project];

/** name -> [program, arguments, vitest project or undefined, working directory]. */
const STEPS = {
  format: [bin('oxfmt'), ['--check', 'packages', 'src', 'tests', 'tools']],
  lint: [node, ['tools/lint.mjs']],
  types: [bin('tsc'), ['--noEmit']],
  'dead-code': [bin('knip'), []],
  'service-types': [bin('tsc'), ['--noEmit'], undefined, 'src'],
  'service-lint': ['npm', ['run', '--silent', 'lint'], undefined, 'src'],
  service: [bin('vitest'), ['run', '--maxWorkers=2'], 'service', 'src'],
  unit: vitest('unit'),
  integration: vitest('integration'),
  'end-to-end': vitest('end-to-end'),
};

const NEEDS_ROOT = new Set(['integration', 'end-to-end']);

function runStep(name, [program, args, project, folder = '.']) {
  process.stdout.write(`\n== ${name}\n`);
  const started = performance.now();
  const run = (more, file) => {
    const reporters = project ? ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`] : [];
    const options = { cwd: path.join(root, folder), stdio: ['ignore', 'inherit', 'inherit'] };
    return spawnSync(program, [...args, ...more, ...reporters], options).status;
  };
  const file = path.join(results, `${name}.json`);
  const status = run([], file);
  const first = project ? counted(name, status, readReport(file)) : countedAsOne(name, status);
  const count = NEEDS_ROOT.has(name) ? tryAgain(name, first, run) : first;
  process.stdout.write(
    `== ${name}: ${count.failures.length === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
  );
  return count;
}

/**
 * Tests with containers, networks and clocks meet a busy machine now and then. Files with a failure get one more run;
 * what passes then is told as unstable in the closing lines, never as if nothing had been.
 */
function tryAgain(name, first, run) {
  const files = [...new Set(first.failures.map(({ file }) => file).filter(Boolean))];
  if (files.length === 0 || files.length > 3) return first;
  process.stdout.write(`\n== ${name}: once more, ${files.join(', ')}\n`);
  const file = path.join(results, `${name}-again.json`);
  const status = run(files, file);
  const kept = first.results.filter((result) => !files.includes(nameOf(result)));
  const again = counted(name, status, { testResults: [...kept, ...(readReport(file).testResults ?? [])] });
  const failing = new Set(again.failures.map(({ what }) => what));
  return { ...again, unstable: first.failures.filter(({ what }) => !failing.has(what)) };
}

const countedAsOne = (name, status) => ({
  passed: status === 0 ? 1 : 0,
  skipped: 0,
  unstable: [],
  failures: status === 0 ? [] : [{ what: name, why: `exit code ${status}` }],
});

const readReport = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
const nameOf = (result) => path.relative(root, result.name);

function counted(name, status, { testResults: results = [] }) {
  const failures = results.flatMap(failuresOf);
  // A run may fail without a failing test: a worker that died, an error that nobody caught.
  if (status !== 0 && failures.length === 0) failures.push({ what: name, why: `exit code ${status}` });
  const tests = results.flatMap((result) => result.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length;
  return { passed, skipped: tests.length - passed - failed, unstable: [], failures, results };
}

/** The failed tests of a file, or the file itself if none of its tests could run. */
function failuresOf(result) {
  const file = nameOf(result);
  const tests = result.assertionResults.filter((test) => test.status === 'failed');
  if (tests.length === 0)
    return result.status === 'failed' ? [{ what: file, why: result.message, file }] : [];
  return tests.map((test) => ({
    what: `${file}: ${test.fullName}`,
    why: test.failureMessages.join('\n'),
    file,
  }));
}

/** Once more at the end, where whoever sees only the end of a log finds it. */
function tell(kind, failures) {
  for (const { what, why } of failures) {
    const lines = why
      .split('\n')
      .filter((line) => !line.includes('/node_modules/'))
      .slice(0, 20);
    process.stdout.write(`\n${kind}: ${what}\n${lines.map((line) => `    ${line}\n`).join('')}`);
  }
}

setUp();
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  process.stderr.write(
    `error: no such part: ${unknown.join(', ')}. Parts: ${Object.keys(STEPS).join(', ')}\n`,
  );
  process.exit(2);
}
const total = { passed: 0, skipped: 0 };
const failures = [];
const unstable = [];
for (const [name, step] of Object.entries(STEPS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (NEEDS_ROOT.has(name) && process.getuid() !== 0) {
    process.stdout.write(`\n== ${name}: skipped, it needs root\n`);
    total.skipped += 1;
    continue;
  }
  const count = runStep(name, step);
  total.passed += count.passed;
  total.skipped += count.skipped;
  failures.push(...count.failures);
  unstable.push(...count.unstable);
}
tell('unstable, passed the second time', unstable);
tell('failed', failures);
process.stdout.write(`\n${total.passed} passed, ${failures.length} failed, ${total.skipped} skipped\n`);
process.exit(failures.length > 0 ? 1 : 0);
