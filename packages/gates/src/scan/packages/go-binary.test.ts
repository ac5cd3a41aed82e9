import { describe, expect, it } from 'vitest';
import type { LayerEntry } from '../content/entry.ts';
import { goProgram } from '../testing/go-program.ts';
import { mayBeGo, readGoBinary } from './go-binary.ts';

function entry(content: Buffer): LayerEntry {
  return {
    path: 'usr/local/bin/x',
    kind: 'file',
    size: content.length,
    isExecutable: true,
    read: async () => content,
    readAt: async (offset, length) => content.subarray(offset, offset + length),
  };
}

const MODULES = [
  'mod\texample.org/x\t(devel)\t',
  'dep\tgolang.org/x/net\tv0.10.0\th1:abc=',
  'dep\tgithub.com/a/b\tv1.0.0',
  '=>\tgithub.com/fork/b\tv1.0.1\th1:def=',
];

const PACKAGES = [
  { name: 'stdlib', version: '1.22.3' },
  { name: 'golang.org/x/net', version: 'v0.10.0' },
  { name: 'github.com/fork/b', version: 'v1.0.1' },
];

describe('a Go program', () => {
  it.each(['inline', 'pointers'] as const)('says what it was built from (%s)', async (form) => {
    const found = await readGoBinary(entry(goProgram('go1.22.3', MODULES, form)));
    expect(found).toMatchObject({ ecosystem: 'go', type: 'gobinary', packages: PACKAGES });
  });

  it.each([
    ['go1.21', '1.21.0'],
    ['go1.22rc1', '1.22.0-rc1'],
    ['go1.20.4 X:boringcrypto', '1.20.4'],
  ])('of %s has the library of %s', async (goVersion, version) => {
    const found = await readGoBinary(entry(goProgram(goVersion, [])));
    expect(found).toMatchObject({ packages: [{ name: 'stdlib', version }] });
  });

  it('of a development version has no library to judge', async () => {
    expect(await readGoBinary(entry(goProgram('devel +abc', [])))).toMatchObject({ packages: [] });
  });
});

describe('what is none', () => {
  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['a script', Buffer.from('#!/bin/sh\n'.repeat(100))],
    ['a program that was cut off', goProgram('go1.22.3', MODULES).subarray(0, 100)],
    ['a program of another language', goProgram('go1.22.3', MODULES).fill(0, 4096, 5000)],
  ])('%s says nothing', async (_, content) => expect(await readGoBinary(entry(content))).toBeUndefined());

  it('a block that lies about its length says nothing', async () => {
    const program = goProgram('go1.22.3', MODULES);
    program.fill(0xff, 4096 + 32, 4096 + 42);
    expect(await readGoBinary(entry(program))).toBeUndefined();
  });

  it('only programs are looked into', () => {
    const program = entry(goProgram('go1.22.3', []));
    expect(mayBeGo(program)).toBe(true);
    expect(mayBeGo({ ...program, isExecutable: false })).toBe(false);
    expect(mayBeGo({ ...program, size: 1000 })).toBe(false);
  });
});
