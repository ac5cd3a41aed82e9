// `npm run lint`: writes the linter's configuration from the table of rooms and runs it, types included.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { oxlintConfig } from './oxlint-config.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const config = path.join(root, 'dist/oxlintrc.json');
mkdirSync(path.dirname(config), { recursive: true });
writeFileSync(config, JSON.stringify(oxlintConfig(path.join(root, 'tools/oxlint-plugin.mjs')), null, 2));
const folders = process.argv.length > 2 ? process.argv.slice(2) : ['packages', 'tests', 'tools'];
const result = spawnSync(
  path.join(root, 'node_modules/.bin/oxlint'),
  ['-c', config, '--type-aware', '--deny-warnings', ...folders],
  { cwd: root, stdio: 'inherit' },
);
process.exit(result.status ?? 1);
