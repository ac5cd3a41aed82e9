import { existsSync, mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { removeTree } from './remove-tree.ts';

test('takes away what lies deeper than a path can say, and leaves what links lead to', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'updraft-tree-'));
  const kept = path.join(dir, 'kept');
  writeFileSync(kept, '');
  const [deep, other] = [path.join(dir, 'deep'), path.join(dir, 'other')];
  const steps = Array.from({ length: 30 }, () => 'd'.repeat(100));
  // Each can still be named; one inside the other can not.
  for (const folder of [deep, other]) mkdirSync(path.join(folder, ...steps), { recursive: true });
  symlinkSync(dir, path.join(other, ...steps, 'link'));
  renameSync(other, path.join(deep, ...steps, 'inside'));
  await removeTree(deep);
  expect([existsSync(deep), existsSync(kept)]).toEqual([false, true]);
  await removeTree(dir);
  await removeTree(dir);
  expect(existsSync(dir)).toBe(false);
});
