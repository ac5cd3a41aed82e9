// What a fresh machine lacks, and how it gets it: npm packages from the lock file, programs from the distribution.
// Runs before anything is installed, so it uses Node alone.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Exit code for "cannot run here". */
const CANNOT_RUN = 3;

/** What must be there -> the Debian and Ubuntu package that brings it. */
const PROGRAMS = {
  git: 'git',
  tar: 'tar',
  mount: 'mount',
  unshare: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  runc: 'runc',
  mmdebstrap: 'mmdebstrap',
  zstd: 'zstd',
};

/** The base image comes from Debian's archive, also on Ubuntu, and is verified with Debian's keys. */
const FILES = { '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring' };

const say = (text) => process.stderr.write(`${text}\n`);

function fail(message, next) {
  say(`error: ${message}`);
  if (next) say(`  ${next}`);
  process.exit(CANNOT_RUN);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Node ${process.versions.node} is too old`, 'Updraft needs Node 20.19 or newer: https://nodejs.org');
}

/** Runs a command with its output on standard error; ends this process when it fails. */
export function mustRun(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) fail(`cannot start ${command}: ${result.error.message}`);
  if (result.status !== 0)
    fail(`${command} ${args.join(' ')} failed with exit code ${result.status ?? result.signal}`);
}

/** `npm ci` when node_modules is not what the lock file says. */
export function ensurePackages() {
  const installed = path.join(root, 'node_modules/.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  if (existsSync(installed) && hasAllOf(installed, lock)) return;
  say('Installing npm packages (npm ci)');
  mustRun('npm', ['ci', '--no-audit', '--no-fund']);
}

/** Every package that the lock file asks of this machine is installed in that version. */
function hasAllOf(installedFile, lockFile) {
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([place, entry]) =>
      place === '' ||
      entry.link ||
      entry.optional ||
      !place.includes('node_modules/') ||
      installed[place]?.version === entry.version,
  );
}

const onPath = (program) =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) =>
    isExecutable(path.join(folder, program)),
  );

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian packages that this machine lacks. */
export function missingPackages() {
  const programs = Object.entries(PROGRAMS).filter(([program]) => !onPath(program));
  const files = Object.entries(FILES).filter(([file]) => !existsSync(file));
  return [...new Set([...programs, ...files].map(([, name]) => name))];
}

/** Installs what is missing, naming it first; without root prints the exact command and exits with 3. */
export function ensurePrograms() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  const command = `apt-get update && apt-get ${install.join(' ')}`;
  if (!onPath('apt-get'))
    fail(`missing: ${missing.join(', ')}`, 'Install them with your distribution’s package manager.');
  if (process.getuid() !== 0) fail(`missing: ${missing.join(', ')}`, `Run: sudo sh -c '${command}'`);
  say(`Installing from the distribution: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  mustRun('apt-get', ['update', '--quiet=2'], { env });
  mustRun('apt-get', ['--quiet=2', ...install], { env });
}

/** Everything a command of this repository needs, in order. */
export function setUp() {
  checkNode();
  ensurePackages();
  ensurePrograms();
}
