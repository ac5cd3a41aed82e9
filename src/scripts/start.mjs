// `npm start`: builds when a source is newer than the build, then serves in this process, so that signals reach it.
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const main = path.join(root, 'dist/main.js');

function newestSource() {
  const files = readdirSync(path.join(root, 'lib'), { recursive: true }).map((name) =>
    path.join(root, 'lib', name),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

const current = existsSync(main) && statSync(main).mtimeMs >= newestSource();
const status = current ? 0 : build();
if (status === 0) await import(main);
else process.exitCode = status;
