import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { echoKubelet } from './testing/api-under-test.ts';
import { example } from './testing/example.ts';

it('the example of the README is the one that runs here', async () => {
  const folder = path.join(import.meta.dirname, '../..');
  const readme = await readFile(path.join(folder, 'README.md'), 'utf8');
  const code = await readFile(path.join(folder, 'src/api/testing/example.ts'), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${code}\`\`\``);
  const dir = await mkdtemp(path.join(tmpdir(), 'updraft-readme-'));
  try {
    const seen = await example(dir, echoKubelet);
    expect(seen).toEqual(['kubeconfig', 'ADDED configmaps greeting', 'DELETED configmaps greeting']);
  } finally {
    await rm(dir, { recursive: true });
  }
}, 30_000);
