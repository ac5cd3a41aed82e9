#!/bin/sh
//bin/sh -c :; case "$1" in run|play|retry|cancel|shell|env|runs|logs|artifacts|image|scan|up|down|status|prune|kubeconfig) [ -z "$NODE_EXTRA_CA_CERTS" ] || { export UPDRAFT_LATER_CA_CERTS="$NODE_EXTRA_CA_CERTS"; unset NODE_EXTRA_CA_CERTS; };; esac; exec node "$0" "$@"
// The installed command, a shell's script and Node's at once: Node 20 reads all certificates of NODE_EXTRA_CA_CERTS
// before its first line, longer than all else takes; so verbs that only ask the daemon start without that variable.
// It runs a bundle, and makes the bundles first when a source is newer than they are (after a `git pull`, or when npm was
// told to run no scripts). CommonJS: Node starts without its module loader then.
'use strict';
const { existsSync, readdirSync, statSync, utimesSync } = require('node:fs');
const path = require('node:path');
const { runCompiled } = require('./compiled.cjs');

const root = path.resolve(__dirname, '../../..');
/** Verbs that only ask the daemon; the same ones as above and in src/commands/of-platform.ts. */
const PLATFORM_VERBS =
  'run play retry cancel shell env runs logs artifacts image scan up down status prune kubeconfig'.split(' ');
const isOfPlatform = PLATFORM_VERBS.includes(process.argv[2]);
const bundle = path.join(root, isOfPlatform ? 'dist/updraft-platform.cjs' : 'dist/updraft.cjs');
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

// For the daemon, if it has to be started, and whatever else is.
const { UPDRAFT_LATER_CA_CERTS: certificates } = process.env;
if (certificates !== undefined) {
  process.env.NODE_EXTRA_CA_CERTS = certificates;
  delete process.env.UPDRAFT_LATER_CA_CERTS;
}

if (isStale() && existsSync(bundler)) void makeAndRun();
else runCompiled(bundle);
