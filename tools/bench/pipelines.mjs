// The language and the scheduler: large configurations and many small jobs, beside gitlab-ci-local when it is there.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { median, peer, row, timed, updraftIn } from './measure.mjs';

const gitlabCiLocal = peer('GITLAB_CI_LOCAL', 'gitlab-ci-local');

/** A repository of `count` jobs over `stages` stages; each needs one of the stage before. */
function makeProject(dir, { count, stages, body }) {
  mkdirSync(dir, { recursive: true });
  const names = Array.from({ length: stages }, (_, index) => `stage-${index}`);
  const perStage = Math.ceil(count / stages);
  const jobs = Array.from({ length: count }, (_, index) => {
    const stage = Math.floor(index / perStage);
    const needs = stage === 0 ? '' : `  needs: [job-${index - perStage}]\n`;
    return `job-${index}:\n  extends: .base\n  stage: stage-${stage}\n${needs}${body(index)}`;
  });
  const base = '.base:\n  rules:\n    - if: $CI_COMMIT_TAG\n      when: never\n    - if: $CI_COMMIT_BRANCH\n';
  writeFileSync(path.join(dir, '.gitlab-ci.yml'), `stages: [${names.join(', ')}]\n${base}${jobs.join('')}`);
  const git = (...args) =>
    timed('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', '-C', dir, ...args]);
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', 'https://gitlab.example.com/bench/project.git');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'bench');
  return dir;
}

function measurePeer(dir, args, runs) {
  if (!gitlabCiLocal) return undefined;
  const { command, args: before } = gitlabCiLocal;
  const ms = median(() => timed(command, [...before, ...args], { cwd: dir }).ms, runs);
  return { ms, what: 'gitlab-ci-local' };
}

const listed = (index) =>
  `  variables: { INDEX: "${index}" }\n  script:\n    - echo ${index}\n    - echo "$INDEX"\n`;
const empty = () => `  script: 'true'\n`;

function lists(dir) {
  for (const [count, goalMs, runs] of [
    [500, 150, 5],
    [2000, 400, 3],
  ]) {
    const project = makeProject(path.join(dir, `list-${count}`), { count, stages: 5, body: listed });
    const ms = median(() => updraftIn(project, 'list').ms, 7);
    row(`updraft list, ${count} jobs`, ms, goalMs, measurePeer(project, ['--list'], runs));
  }
}

function hostJobs(dir) {
  const stages = makeProject(path.join(dir, 'one-stage'), { count: 100, stages: 1, body: empty });
  const run = (project) => updraftIn(project, 'run', '--executor', 'host').ms;
  row(
    '100 empty host jobs on one stage',
    median(() => run(stages), 3),
    2000,
    measurePeer(stages, [], 3),
  );
  for (const [stageCount, perStage] of [
    [20, 1],
    [9, 20],
  ]) {
    const name = `${stageCount} stages of ${perStage}`;
    const project = makeProject(path.join(dir, `stages-${stageCount}`), {
      count: stageCount * perStage,
      stages: stageCount,
      body: empty,
    });
    // 15 ms a job and 50 ms of the scheduler's own, over the command's start.
    const start = median(() => updraftIn(project, 'list').ms, 3);
    const goalMs = Math.round(start + 50 + stageCount * perStage * 15);
    row(
      `empty host jobs, ${name}`,
      median(() => run(project), 3),
      goalMs,
      measurePeer(project, [], 1),
    );
  }
}

export function measurePipelines(dir) {
  if (!gitlabCiLocal) process.stderr.write('gitlab-ci-local is not installed: no ratio to it\n');
  lists(dir);
  hostJobs(dir);
}
