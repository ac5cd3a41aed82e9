import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LABELS, findStandIn } from './catalogue.ts';
import { ansibleInstall } from './recipes/ansible.ts';

const root = path.resolve(import.meta.dirname, '../../..');

describe('findStandIn', () => {
  test.each([
    ['node:24-bookworm-slim', 'stand-in for node:24-bookworm-slim: Node 24 from npm on Debian bookworm'],
    ['docker.io/library/node:lts', 'stand-in for node:lts: Node 24 from npm on Debian bookworm'],
    [
      'mirror.gcr.io/library/node:22',
      'stand-in for mirror.gcr.io/library/node:22: Node 22 from npm on Debian bookworm',
    ],
    ['debian:12', 'stand-in for debian:12: Debian bookworm from Debian’s archive'],
    [
      'debian:bookworm-20240110-slim',
      'stand-in for debian:bookworm-20240110-slim: Debian bookworm from Debian’s archive',
    ],
    [
      'nginxinc/nginx-unprivileged:1.27-bookworm',
      'stand-in for nginxinc/nginx-unprivileged:1.27-bookworm: nginx of Debian bookworm',
    ],
    ['curlimages/curl', 'stand-in for curlimages/curl: curl of Debian bookworm'],
    ['ghcr.io/ansible/community-ansible-dev-tools:latest', expect.stringContaining('ansible-lint')],
    ['postgres:15', expect.stringContaining('PostgreSQL 15')],
    [
      `node:24.1.0-bookworm-slim@sha256:${'0'.repeat(64)}`,
      'stand-in for node:24.1.0-bookworm-slim: Node 24 from npm on Debian bookworm, not the content of its digest',
    ],
  ])('%s', (name, note) => {
    expect(findStandIn(name)?.note).toEqual(note);
  });

  test('tools are always ours where the original is archived, and call the daemon', () => {
    expect(findStandIn('gcr.io/kaniko-project/executor:v1.23.2-debug')).toMatchObject({
      always: true,
      tools: true,
    });
    expect(findStandIn('hadolint/hadolint:v2.12.0-alpine')).toMatchObject({ always: false, tools: true });
    expect(findStandIn('ghcr.io/aquasecurity/trivy:0.60.0')).toMatchObject({ always: false, tools: true });
  });

  test.each([
    'alpine:3.20',
    'node:24-alpine',
    'nginx:alpine',
    'postgres:16-alpine',
    'debian:sid',
    'node:iojs',
    'registry.example/library/node:24',
    'somebody/node:24',
    `node@sha256:${'0'.repeat(64)}`,
  ])('%s has none', (name) => {
    expect(findStandIn(name)).toBeUndefined();
  });

  test.each([
    'node:24',
    'nginx',
    'nginxinc/nginx-unprivileged',
    'curlimages/curl',
    'postgres',
    'a/ansible',
    'gcr.io/kaniko-project/executor',
    'hadolint/hadolint',
    'aquasec/trivy',
  ])('%s stands on a stand-in', (name) => {
    const recipe = findStandIn(name)?.recipe;
    const base = recipe?.kind === 'dockerfile' ? /^FROM (\S+)$/m.exec(recipe.dockerfile)?.[1] : undefined;
    expect(findStandIn(base ?? 'none')).toBeDefined();
  });

  test('says what there is', () => {
    expect(LABELS).toEqual(expect.arrayContaining(['debian', 'node', 'nginx', 'postgres', 'ansible']));
  });
});

test('the Ansible stand-in and the pipeline’s own image share one layer', async () => {
  const delivered = await readFile(path.join(root, '.gitlab/docker/ansible/Dockerfile'), 'utf8');
  const instructions = delivered.split('\n').filter((line) => !line.startsWith('#'));
  // Directly after FROM: nothing between them may change the key of the step.
  expect(instructions.join('\n')).toContain(`FROM debian:\${DEBIAN_TAG} AS playbooks\n${ansibleInstall}\n`);
});
