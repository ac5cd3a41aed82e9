import { randomBytes } from 'node:crypto';
import { runOrThrow } from '@updraft/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeElement } from './set-element.ts';

const table = `updraft_test_${randomBytes(3).toString('hex')}`;
const set = 'pods';
const first = { table, set, device: 'udtest1', address: '10.1.2.3' };

beforeAll(async () => {
  const input = `table bridge ${table} {\n  set ${set} {\n    type ifname . ipv4_addr\n  }\n}\n`;
  await runOrThrow('nft', ['-f', '-'], { input });
});

afterAll(async () => {
  await runOrThrow('nft', ['delete', 'table', 'bridge', table]);
});

const elements = async () =>
  /elements = \{ ([^}]*) \}/.exec(await runOrThrow('nft', ['list', 'set', 'bridge', table, set]))?.[1];

test('elements come and go as nft itself would change them', async () => {
  expect(changeElement('add', first)).toBe(true);
  expect(changeElement('add', first)).toBe(true);
  expect(await elements()).toBe('"udtest1" . 10.1.2.3');
  expect(changeElement('delete', { ...first, address: '10.1.2.4' })).toBe(false);
  expect(changeElement('delete', first)).toBe(true);
  expect(await elements()).toBeUndefined();
});

test('what cannot be done is said in the kernel’s word', () => {
  expect(() => changeElement('add', { ...first, table: `${table}x` })).toThrow('ENOENT');
  expect(() => changeElement('add', { ...first, device: 'a-name-that-is-too-long' })).toThrow(
    'no name of a device',
  );
});
