#!/usr/bin/env node
// The installed command. It runs the bundle, and makes the bundle first when a source is newer than it
// (after a `git pull`, or when npm was told to run no scripts).
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCompiled } from './compiled.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const bundle = path.join(root, 'dist/updraft.cjs');

const timeOf = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const full = path.join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestSource(full) : statSync(full).mtimeMs);
  }
  return newest;
}

/**
 * Looking at every source costs more than most commands take. Whoever changes sources does it through git or an
 * editor in this clone: git's index tells of the first, `npm run build` is for the second.
 */
function isStale() {
  const made = timeOf(bundle);
  if (made === 0) return true;
  if (process.env.UPDRAFT_COMPILE === '1') return false;
  if (newestSource(path.join(root, 'packages')) > made) return true;
  markFresh();
  return false;
}

/** So that the next start need not look again. */
function markFresh() {
  try {
    utimesSync(bundle, new Date(), new Date());
  } catch {
    // Somebody else's installation: it is looked at each time.
  }
}

if (isStale() && existsSync(path.join(root, 'tools/bundle.mjs'))) {
  const { bundle: make } = await import(path.join(root, 'tools/bundle.mjs'));
  await make();
}
runCompiled(bundle);
