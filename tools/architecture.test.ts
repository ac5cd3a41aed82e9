import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { PURE, ROOMS, packageName } from './architecture.mjs';

const root = path.resolve(import.meta.dirname, '..');
const rooms = ROOMS;

test('every folder under packages/ is a room of the table', () => {
  expect(readdirSync(path.join(root, 'packages')).toSorted()).toEqual(Object.keys(rooms).toSorted());
});

test('each package depends on exactly the rooms that its arrows name', () => {
  for (const [room, arrows] of Object.entries(rooms)) {
    const manifest = JSON.parse(readFileSync(path.join(root, 'packages', room, 'package.json'), 'utf8'));
    const own = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@updraft/'));
    expect(own.toSorted(), room).toEqual(arrows.map(packageName).toSorted());
  }
});

test('the drawing in docs/architecture.md shows the same arrows', () => {
  const text = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');
  const drawing = /## Rooms\n```\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const drawn = Object.fromEntries(
    [...drawing.matchAll(/([a-z-]+) -> ((?:[a-z-]+, )*[a-z-]+)/g)].map((match) => [
      match[1],
      match[2]?.split(', '),
    ]),
  );
  const withArrows = Object.fromEntries(Object.entries(rooms).filter(([, arrows]) => arrows.length > 0));
  expect(drawn).toEqual(withArrows);
});

describe('the linter catches what the table forbids', () => {
  const planted = path.join(root, 'packages/kit/src/planted-by-a-test');
  afterEach(() => rmSync(planted, { recursive: true, force: true }));

  const lint = (folder: string, file: string, content: string) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, file), content);
    return spawnSync(process.execPath, ['tools/lint.mjs', folder], { cwd: root, encoding: 'utf8' });
  };

  test('an import of a room that it may not know', () => {
    const result = lint(
      planted,
      'bad.ts',
      "import { parseReference } from '@updraft/oci';\nexport const x = parseReference;\n",
    );
    expect(result.status).toBe(1);
    expect(result.stdout).toContain('kit may not import this room');
  });

  test('a Node module in a pure room', () => {
    const folder = path.join(root, 'packages', PURE[0] ?? '', 'src/planted-by-a-test');
    try {
      const result = lint(
        folder,
        'bad.ts',
        "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n",
      );
      expect(result.status).toBe(1);
      expect(result.stdout).toContain('is pure');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a process started outside kit', () => {
    const folder = path.join(root, 'packages/oci/src/planted-by-a-test');
    try {
      const result = lint(
        folder,
        'bad.ts',
        "import { exec } from 'node:child_process';\nexport const x = exec;\n",
      );
      expect(result.status).toBe(1);
      expect(result.stdout).toContain('argument arrays only');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
