import { lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeNode, readAttributes, writeAttribute } from './system-calls.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'updraft-calls-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('attributes are read and written, also of names that are no text; links have their own', () => {
  const file = Buffer.concat([Buffer.from(`${folder}/n`), Buffer.from([0xff])]);
  writeFileSync(file, '');
  expect(readAttributes(file)).toEqual([]);
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  writeAttribute(file, 'security.capability', capability);
  writeAttribute(file, 'user.empty', Buffer.alloc(0));
  expect(readAttributes(file)).toEqual([
    ['security.capability', capability],
    ['user.empty', Buffer.alloc(0)],
  ]);
  symlinkSync(file, `${folder}/link`);
  expect(readAttributes(`${folder}/link`)).toEqual([]);
  expect(readAttributes(`${folder}/missing`)).toEqual([]);
  expect(() => writeAttribute(`${folder}/missing`, 'user.x', Buffer.from('1'))).toThrow('ENOENT');
});

test('nodes are what was asked for', () => {
  makeNode(`${folder}/pipe`, 0o010644, 0n);
  expect(lstatSync(`${folder}/pipe`).isFIFO()).toBe(true);
  const device = lstatSync('/dev/null', { bigint: true });
  makeNode(`${folder}/null`, Number(device.mode), device.rdev);
  expect(lstatSync(`${folder}/null`, { bigint: true }).rdev).toBe(device.rdev);
  expect(lstatSync(`${folder}/null`).isCharacterDevice()).toBe(true);
  expect(() => makeNode(`${folder}/null`, 0o010644, 0n)).toThrow('EEXIST');
});
