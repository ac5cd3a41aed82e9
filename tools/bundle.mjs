// Bundles what a user runs: dist/updraft.cjs and dist/updraft-platform.cjs (the command), dist/daemon.mjs (the platform) and one file for
// each tool entry point of the stand-in images. `--if-possible`: say nothing when esbuild isn't installed
// (npm's prepare script also runs for an install that leaves development packages out).
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Packages that carry native code: they stay in node_modules and are imported from there. */
const NATIVE = ['libsql', 'koffi'];

const commands = {
  updraft: path.join(root, 'packages/cli/src/main.ts'),
  'updraft-platform': path.join(root, 'packages/cli/src/platform.main.ts'),
};
const daemon = path.join(root, 'packages/daemon/src/main.ts');

/** Programs of the stand-in images: each is copied into an image, so each is one file. */
function toolEntryPoints() {
  const tools = path.join(root, 'packages/stand-ins/src/tools');
  const files = readdirSync(tools).filter((file) => file.endsWith('.main.ts'));
  return Object.fromEntries(
    files.map((file) => [`tools/${file.slice(0, -'.main.ts'.length)}`, path.join(tools, file)]),
  );
}

/** Files of an earlier bundle that nothing refers to any more, and the compiled form of its command. */
function removeOld() {
  for (const file of readdirSync(path.join(root, 'dist'))) {
    const isOld =
      /-[A-Z0-9]{8}\.mjs(\.map)?$/.test(file) || /^updraft(-platform)?\.(mjs|cjs\..*compiled)/.test(file);
    if (isOld) rmSync(path.join(root, 'dist', file));
  }
}

/** Runs each command once, so that its compiled form is there for the first user as well. */
function warmUp() {
  for (const verb of ['list', 'status']) {
    spawnSync(process.execPath, [path.join(root, 'packages/cli/bin/updraft.cjs'), verb], {
      cwd: root,
      stdio: 'ignore',
      timeout: 20_000,
      env: { ...process.env, UPDRAFT_COMPILE: '1' },
    });
  }
}

export async function bundle() {
  const { build } = await import('esbuild');
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  removeOld();
  const common = {
    outdir: path.join(root, 'dist'),
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    external: NATIVE,
  };
  const modules = {
    ...common,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // CommonJS packages inside the bundle call require for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  };
  const maps = { sourcemap: 'linked', sourcesContent: false };
  await Promise.all([
    // In one piece: a running daemon must not miss a part when a newer bundle is made.
    build({ ...modules, ...maps, entryPoints: { daemon } }),
    build({ ...modules, entryPoints: toolEntryPoints() }),
    // CommonJS, each in one file: the only form whose compiled code Node 20 can keep between runs.
    build({
      ...common,
      ...maps,
      entryPoints: commands,
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      // Compiled code is kept by this name: see packages/cli/bin/compiled.cjs.
      banner: { js: `/* build ${randomUUID()} */` },
      define: { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname' },
    }),
  ]);
  warmUp();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const possible = existsSync(path.join(root, 'node_modules/esbuild'));
  if (!possible && process.argv.includes('--if-possible')) process.exit(0);
  await bundle();
}
