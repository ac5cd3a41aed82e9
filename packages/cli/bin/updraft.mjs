#!/usr/bin/env node
// The installed command. It runs the bundle, and makes the bundle first when a source is newer than it
// (after a `git pull`, or when npm was told to run no scripts).
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const bundle = path.join(root, 'dist/updraft.mjs');

function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const full = path.join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestSource(full) : statSync(full).mtimeMs);
  }
  return newest;
}

function isStale() {
  if (!existsSync(bundle)) return true;
  return newestSource(path.join(root, 'packages')) > statSync(bundle).mtimeMs;
}

if (isStale()) {
  const { bundle: make } = await import(path.join(root, 'tools/bundle.mjs'));
  await make();
}
await import(bundle);
