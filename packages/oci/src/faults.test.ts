import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { OCI_CODES } from './faults.ts';

test('every code is used, and explained in a sentence', async () => {
  const files = (await readdir(import.meta.dirname, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'faults.ts',
  );
  const source = (
    await Promise.all(files.map((name) => readFile(path.join(import.meta.dirname, name), 'utf8')))
  ).join('\n');
  for (const [code, sentence] of Object.entries(OCI_CODES)) {
    expect(source, code).toContain(`'${code}'`);
    expect(sentence).toMatch(/^[A-Z].*\.$/);
  }
});
