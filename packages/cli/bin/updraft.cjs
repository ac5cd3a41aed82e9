#!/usr/bin/env node
// The installed command. It runs the bundle, and makes the bundle first when a source is newer than it (after a
// `git pull`, or when npm was told to run no scripts). CommonJS: Node starts without its module loader then.
'use strict';
const { existsSync, readdirSync, statSync, utimesSync } = require('node:fs');
const path = require('node:path');
const { runCompiled } = require('./compiled.cjs');

const root = path.resolve(__dirname, '../../..');
const bundle = path.join(root, 'dist/updraft.cjs');
const bundler = path.join(root, 'tools/bundle.mjs');

const timeOf = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const full = path.join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestSource(full) : timeOf(full));
  }
  return newest;
}

/**
 * Looking at every source costs more than many commands take, so that is done only when git's index has changed since:
 * after a pull, a checkout, a commit. Whoever edits sources says `npm run build`, or sets UPDRAFT_DEBUG.
 */
function isStale() {
  const made = timeOf(bundle);
  if (made === 0) return true;
  if (process.env.UPDRAFT_COMPILE === '1') return false;
  if (timeOf(path.join(root, '.git/index')) <= made && process.env.UPDRAFT_DEBUG === undefined) return false;
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

async function makeAndRun() {
  const { bundle: make } = await import(bundler);
  await make();
  runCompiled(bundle);
}

if (isStale() && existsSync(bundler)) void makeAndRun();
else runCompiled(bundle);
