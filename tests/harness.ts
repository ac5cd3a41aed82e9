import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');
const UPDRAFT = path.join(root, 'packages/cli/bin/updraft.cjs');

/**
 * The platform that end-to-end tests share: images that were made once are there for the next run of the tests. It
 * lies in the work tree's own folder, so that two clones do not meet.
 */
export const sharedHome = path.join(root, '.updraft/test-home');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface UpdraftOptions {
  readonly cwd: string;
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly onStderr?: (text: string) => void;
  /** For its standard input, which is empty otherwise. */
  readonly input?: string;
}

/** Runs a program to its end and keeps what it prints. */
export function execute(
  command: string,
  args: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string | undefined>;
    onStderr?: (text: string) => void;
    input?: string;
  } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onStderr?.(text);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The command as a user runs it. */
export function updraft(args: readonly string[], options: UpdraftOptions): Promise<Finished> {
  const env = { UPDRAFT_HOME: options.home ?? sharedHome, NO_COLOR: '1', ...options.env };
  return execute(process.execPath, [UPDRAFT, ...args], {
    cwd: options.cwd,
    env,
    ...(options.onStderr ? { onStderr: options.onStderr } : {}),
    ...(options.input === undefined ? {} : { input: options.input }),
  });
}

export function temporaryFolder(name: string): { dir: string; remove: () => void } {
  const dir = mkdtempSync(path.join(tmpdir(), `updraft-${name}-`));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

const AUTHOR = [
  '-c',
  'user.name=A Tester',
  '-c',
  'user.email=tester@example.com',
  '-c',
  'commit.gpgsign=false',
];

export async function git(dir: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await execute('git', [...AUTHOR, '-C', dir, ...args]);
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** A repository with the files of a folder, committed on `main`. */
export async function repositoryFrom(source: string, dir: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  cpSync(source, dir, { recursive: true });
  await git(dir, 'init', '--quiet', '--initial-branch=main');
  await git(dir, 'add', '--all');
  await git(dir, 'commit', '--quiet', '--message', 'A commit to run');
}

/** What a platform could leave on the machine: mounts, links, tables, processes that name it. */
export async function remains(home: string): Promise<readonly string[]> {
  const [mounts, links, tables, processes] = await Promise.all([
    execute('cat', ['/proc/mounts']),
    execute('ip', ['-o', 'link']),
    execute('nft', ['list', 'tables']),
    execute('ps', ['-eo', 'pid,args']),
  ]);
  const id = platformId(home);
  const lines = (finished: Finished, needle: string) =>
    finished.stdout.split('\n').filter((line) => line.includes(needle));
  return [
    ...lines(mounts, home),
    ...lines(links, `ud-${id}`),
    ...lines(links, `ud${id}`),
    ...lines(tables, id),
    ...lines(processes, home).filter((line) => !line.includes('ps -eo')),
  ];
}

function platformId(home: string): string {
  let real = home;
  try {
    real = realpathSync(home);
  } catch {
    // Purged: its path is what it was.
  }
  return createHash('sha256').update(real).digest('hex').slice(0, 6);
}
