// `npm run bench`: the figures this project promises, measured on this machine in one run. Each row is the median of
// several runs beside its goal; where there is a bare command to compare with, the ratio to it in the same run.
// `npm run bench -- --pipeline` also runs this repository's whole warm pipeline; `-- --images` measures images alone,
// `-- --service` the address book alone.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { home, median, row, rows, timed, updraftFile, updraftIn } from './bench/measure.mjs';
import { measureImages } from './bench/images.mjs';
import { measurePipelines } from './bench/pipelines.mjs';
import { measureService } from './bench/service.mjs';
import { root, setUp } from './setup.mjs';

setUp();
const dir = mkdtempSync(path.join(tmpdir(), 'updraft-bench-'));
const project = path.join(dir, 'project');

const updraft = (...args) => updraftIn(project, ...args);

const git = (...args) =>
  timed('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', '-C', project, ...args]);

function makeProject() {
  mkdirSync(project, { recursive: true });
  const job = (name, image) =>
    `${name}:\n  stage: test\n${image ? `  image: ${image}\n` : ''}  needs: []\n  script: 'true'\n`;
  writeFileSync(
    path.join(project, '.gitlab-ci.yml'),
    job('empty', 'debian:bookworm-slim') + job('empty-on-host', ''),
  );
  writeFileSync(
    path.join(project, 'Dockerfile'),
    'FROM debian:bookworm-slim\nCOPY . /project\nRUN echo made > /made\nCMD ["true"]\n',
  );
  cpSync(path.join(root, 'packages'), path.join(project, 'packages'), {
    recursive: true,
    filter: (file) => !file.includes('node_modules'),
  });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'bench');
}

function jobMs(name) {
  const jobs = JSON.parse(updraft('run', name, '--json').stdout);
  return jobs.find((each) => each.name === name).duration_ms;
}

async function measure() {
  if (process.argv.includes('--images')) return await measureImages(project);
  const node = median(() => timed(process.execPath, ['-e', '0']).ms, 7);
  row(
    'updraft list',
    median(() => updraft('list').ms, 7),
    300,
    { ms: node, what: 'node -e 0' },
  );
  updraft('down');
  row(
    'daemon start to API ready',
    median(() => (updraft('down'), updraft('up').ms), 5),
    1500,
  );
  jobMs('empty');
  const host = median(() => jobMs('empty-on-host'), 7);
  row(
    'empty job in an image',
    median(() => jobMs('empty'), 7),
    120,
    { ms: host, what: 'empty job on the host' },
  );
  updraft('image', 'build', '--context', '.');
  row(
    'cached image build',
    median(() => updraft('image', 'build', '--context', '.').ms, 7),
    150,
  );
  measurePipelines(dir);
  await measureImages(project);
  if (process.argv.includes('--pipeline')) pipeline();
}

function pipeline() {
  const env = { ...process.env, UPDRAFT_HOME: home, NO_COLOR: '1' };
  const run = () => timed(process.execPath, [updraftFile, 'run'], { cwd: root, env }).ms;
  const first = run();
  process.stderr.write(`whole pipeline, first time in this home: ${Math.round(first)} ms\n`);
  row('whole pipeline, nothing changed', median(run, 3), 45_000);
}

async function measureAll() {
  try {
    makeProject();
    await measure();
    console.table(rows);
  } finally {
    spawnSync(process.execPath, [updraftFile, 'down'], { env: { ...process.env, UPDRAFT_HOME: home } });
  }
  return rows.every((each) => each.ms <= each.goal);
}

try {
  const good = process.argv.includes('--service') ? await measureService(dir) : await measureAll();
  process.exitCode = good ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
