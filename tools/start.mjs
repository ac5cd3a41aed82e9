// `npm start`: from a fresh clone to a finished pipeline. Sets up what is missing, then runs `updraft run` with the
// arguments given after `--`.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root, setUp } from './setup.mjs';

setUp();
const updraft = path.join(root, 'packages/cli/bin/updraft.cjs');
const child = spawn(process.execPath, [updraft, 'run', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// Ctrl-C reaches the child by itself (same terminal); this process only waits for it to clean up.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
