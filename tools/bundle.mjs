// Bundles what a user runs: dist/updraft.mjs (the command), dist/daemon.mjs (the platform) and one file for
// each tool entry point of the stand-in images. `--if-possible`: say nothing when esbuild isn't installed
// (npm's prepare script also runs for an install that leaves development packages out).
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Packages that carry native code: they stay in node_modules and are imported from there. */
const NATIVE = ['libsql', 'koffi'];

function entryPoints() {
  const entries = {
    updraft: path.join(root, 'packages/cli/src/main.ts'),
    daemon: path.join(root, 'packages/daemon/src/main.ts'),
  };
  const tools = path.join(root, 'packages/stand-ins/src/tools');
  if (existsSync(tools)) {
    for (const file of readdirSync(tools)) {
      if (file.endsWith('.main.ts')) {
        entries[`tools/${file.slice(0, -'.main.ts'.length)}`] = path.join(tools, file);
      }
    }
  }
  return Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));
}

export async function bundle() {
  const { build } = await import('esbuild');
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  await build({
    entryPoints: entryPoints(),
    outdir: path.join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    external: NATIVE,
    // CommonJS packages inside the bundle call require for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const possible = existsSync(path.join(root, 'node_modules/esbuild'));
  if (!possible && process.argv.includes('--if-possible')) process.exit(0);
  await bundle();
}
