import {
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statusAt } from './file-status.ts';
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

test('the status of a name in an open folder is what lstat tells', () => {
  const odd = Buffer.concat([Buffer.from(`${folder}/odd`), Buffer.from([0xfe])]);
  writeFileSync(odd, 'content');
  writeFileSync(`${folder}/plain`, 'content', { mode: 0o4755 });
  linkSync(`${folder}/plain`, `${folder}/second`);
  symlinkSync('nowhere', `${folder}/dangling`);
  lutimesSync(`${folder}/dangling`, -1.5, 2 ** 33);
  makeNode(`${folder}/device`, 0o060600, (0xabcn << 8n) | 0xden | (0xabc00n << 12n));
  const descriptor = openSync(folder, 'r');
  const relative = [Buffer.from([...Buffer.from('odd'), 0xfe]), 'plain', 'second', 'dangling', 'device', '.'];
  for (const name of relative) {
    const expected = lstatSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name as string)]), {
      bigint: true,
    });
    const status = statusAt(descriptor, name);
    expect(status).toMatchObject({
      mode: Number(expected.mode),
      uid: 0,
      gid: 0,
      names: Number(expected.nlink),
      device: expected.rdev,
    });
    expect(status?.mtimeMs).toBeCloseTo(Number(expected.mtimeNs) / 1e6, 3);
    expect(status?.ctimeMs).toBeCloseTo(Number(expected.ctimeNs) / 1e6, 3);
  }
  const before = statusAt(descriptor, 'plain');
  expect(statusAt(descriptor, 'second')?.identity).toBe(before?.identity);
  writeFileSync(`${folder}/plain`, 'CONTENT');
  expect(statusAt(descriptor, `${folder}/plain`)?.identity).not.toBe(before?.identity);
  expect(statusAt(descriptor, 'missing')).toBeUndefined();
  closeSync(descriptor);
});
