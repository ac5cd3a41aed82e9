// Bundles what a user runs: dist/updraft.mjs (the command), dist/daemon.mjs (the platform) and one file for
// each tool entry point of the stand-in images. `--if-possible`: say nothing when esbuild isn't installed
// (npm's prepare script also runs for an install that leaves development packages out).
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Packages that carry native code: they stay in node_modules and are imported from there. */
const NATIVE = ['libsql', 'koffi'];

const entryPoints = {
  updraft: path.join(root, 'packages/cli/src/main.ts'),
  daemon: path.join(root, 'packages/daemon/src/main.ts'),
};

/** Programs of the stand-in images: each is copied into an image, so each is one file. */
function toolEntryPoints() {
  const tools = path.join(root, 'packages/stand-ins/src/tools');
  const files = readdirSync(tools).filter((file) => file.endsWith('.main.ts'));
  return Object.fromEntries(
    files.map((file) => [`tools/${file.slice(0, -'.main.ts'.length)}`, path.join(tools, file)]),
  );
}

/** Shared pieces of an earlier bundle: nothing refers to them any more. */
function removeChunks() {
  for (const file of readdirSync(path.join(root, 'dist'))) {
    if (/-[A-Z0-9]{8}\.mjs(\.map)?$/.test(file)) rmSync(path.join(root, 'dist', file));
  }
}

export async function bundle() {
  const { build } = await import('esbuild');
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  removeChunks();
  const common = {
    outdir: path.join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    external: NATIVE,
    // CommonJS packages inside the bundle call require for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  };
  await Promise.all([
    // Split: what a command does not use it does not load.
    build({ ...common, entryPoints, splitting: true, sourcemap: 'linked', sourcesContent: false }),
    build({ ...common, entryPoints: toolEntryPoints() }),
  ]);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const possible = existsSync(path.join(root, 'node_modules/esbuild'));
  if (!possible && process.argv.includes('--if-possible')) process.exit(0);
  await bundle();
}
