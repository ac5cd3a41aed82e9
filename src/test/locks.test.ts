import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { packageDir } from '../lib/places.ts';

interface Lock {
  packages: Record<string, { version?: string; resolved?: string; link?: boolean }>;
}

const own = JSON.parse(readFileSync(path.join(packageDir, 'package-lock.json'), 'utf8')) as Lock;
const rootFile = path.join(packageDir, '../package-lock.json');

it('the lock names no registry', () => {
  for (const entry of Object.values(own.packages)) expect(entry.resolved).toBeUndefined();
});

// The image is built from this folder alone, the repository's checks run from its root: both must mean the same code.
it.skipIf(!existsSync(rootFile))('the lock has the versions of the repository’s', () => {
  const root = (JSON.parse(readFileSync(rootFile, 'utf8')) as Lock).packages;
  const different = Object.entries(own.packages)
    .filter(([place]) => place !== '')
    .map(([place, { version }]) => [place, version, (root[`src/${place}`] ?? root[place])?.version])
    .filter(([, here, there]) => here !== there);
  expect(different).toEqual([]);
});
