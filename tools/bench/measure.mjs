// What every part of the benchmark measures with: whole processes, medians, rows with goals and ratios.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../setup.mjs';

export const updraftFile = path.join(root, 'packages/cli/bin/updraft.cjs');
export const home = process.env.UPDRAFT_HOME ?? path.join(root, '.updraft/bench-home');
export const rows = [];

export function timed(command, args, options = {}) {
  const started = performance.now();
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  const ms = performance.now() - started;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${result.stderr}`);
  return { ms, stdout: result.stdout };
}

/** The command as it is installed. */
export const updraftIn = (cwd, ...args) =>
  timed(updraftFile, args, {
    cwd,
    env: { ...process.env, UPDRAFT_HOME: home, NO_COLOR: '1' },
  });

export function median(measure, runs) {
  const values = Array.from({ length: runs }, measure).toSorted((a, b) => a - b);
  return values[Math.floor(values.length / 2)];
}

/** `compared`: a bare command or a peer, measured in the same run. */
export function row(what, ms, goalMs, compared) {
  rows.push({
    what,
    ms: Math.round(ms),
    goal: goalMs,
    ratio: compared === undefined ? '' : (ms / compared.ms).toFixed(2),
    to: compared === undefined ? '' : `${compared.what} (${Math.round(compared.ms)} ms)`,
  });
  process.stderr.write(`${what}: ${Math.round(ms)} ms (goal ${goalMs} ms)\n`);
}

/**
 * A peer as an argument array, or undefined when it is not installed: the variable holds a command line
 * (`GITLAB_CI_LOCAL="/opt/node24/bin/node /opt/gitlab-ci-local/dist/index.js"`), else the name is looked up in PATH.
 */
export function peer(variable, name) {
  const words = (process.env[variable] ?? name).split(' ').filter((word) => word !== '');
  const [command = name, ...args] = words;
  const found = spawnSync(command, [...args, '--version'], { stdio: 'ignore' });
  return found.status === 0 ? { command, args } : undefined;
}
