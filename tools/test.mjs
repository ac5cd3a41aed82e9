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
  const file = path.join(results, `${name}.json`);
  const reporters = project ? ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`] : [];
  const { status } = spawnSync(program, [...args, ...reporters], {
    cwd: path.join(root, folder),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.stdout.write(
    `== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
  );
  return project
    ? counted(file, status)
    : { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
}

/** A run that failed without a failing test (a file that does not load) still counts as a failure. */
function counted(file, status) {
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const failed = report.numFailedTests ?? 0;
  return {
    passed: report.numPassedTests ?? 0,
    failed: status !== 0 && failed === 0 ? 1 : failed,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
  };
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
const total = { passed: 0, failed: 0, skipped: 0 };
const broken = [];
for (const [name, step] of Object.entries(STEPS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (NEEDS_ROOT.has(name) && process.getuid() !== 0) {
    process.stdout.write(`\n== ${name}: skipped, it needs root\n`);
    total.skipped += 1;
    continue;
  }
  const count = runStep(name, step);
  for (const key of Object.keys(total)) total[key] += count[key];
  if (count.failed > 0) broken.push(name);
}
if (broken.length > 0) process.stdout.write(`\nfailed: ${broken.join(', ')}\n`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(total.failed > 0 ? 1 : 0);
