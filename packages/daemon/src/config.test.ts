import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

test('parts of the host are granted by name, and a name that means nothing is refused', () => {
  const grants = (text: string) => readConfig(tmpdir(), { UPDRAFT_CLUSTER_ALLOW: text }).grants;
  expect(grants('')).toEqual([]);
  expect(grants('hostPath, privileged')).toEqual(['hostPath', 'privileged']);
  expect(() => grants('hostpath')).toThrow(/nothing called "hostpath"/);
});
