import { describe, expect, it } from 'vitest';
import { findSecrets, mayHoldSecrets } from './detect.ts';
import { SECRET_RULES } from './rules.table.ts';

const letters = (count: number) => 'aB3'.repeat(count).slice(0, count);

/** Made when the test runs, so that no scanner takes this file for a leak. */
const SAMPLES: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'aws-access-key-id': ['app/x', `AKIA${'Q2W4'.repeat(4)}`],
  'aws-secret-access-key': ['app/x', `aws_secret_access_key = "${letters(40)}"`],
  'github-pat': ['app/x', `ghp_${letters(36)}`],
  'github-oauth': ['app/x', `gho_${letters(36)}`],
  'github-app-token': ['app/x', `ghs_${letters(36)}`],
  'github-refresh-token': ['app/x', `ghr_${letters(76)}`],
  'github-fine-grained-pat': ['app/x', `github_pat_${letters(22)}_${letters(59)}`],
  'gitlab-pat': ['app/x', `glpat-${letters(20)}`],
  'hugging-face-access-token': ['app/x', `hf_${letters(39)}`],
  'gcp-service-account': ['app/key.json', '{"type": "service_account", "project_id": "x"}'],
  'npm-access-token': ['root/.npmrc', `//registry/:_authToken=npm_${letters(36)}`],
  'stripe-secret-token': ['app/x', `sk_live_${letters(24)}`],
  'private-key': [
    'etc/key.pem',
    `-----BEGIN RSA PRIVATE KEY-----\n${letters(64)}\n${letters(64)}\n-----END RSA PRIVATE KEY-----`,
  ],
  'slack-access-token': ['app/x', `xoxb-${'1234567890'.repeat(1)}-${letters(24)}`],
  'pypi-upload-token': ['root/.pypirc', `password = pypi-AgEIcHlwaS5vcmc${letters(80)}`],
  'dockerconfig-secret': ['root/.docker/config.json', `{"auths":{"r":{"auth":"${letters(16)}"}}}`],
};

describe('findSecrets', () => {
  it.each(SECRET_RULES.map(({ id }) => id))('finds %s, says where, and does not show it', (id) => {
    const [path = '', text = ''] = SAMPLES[id] ?? [];
    const found = findSecrets(path, Buffer.from(`first line\n${text}\n`));
    expect(found.map(({ ruleId, line }) => [ruleId, line])).toEqual([[id, 2]]);
    const secret = /[aB3]{12,}|(?:Q2W4){4}/.exec(text)?.[0];
    if (secret !== undefined) expect(found[0]?.match).not.toContain(secret);
  });

  it.each([
    ['an example of the manual', 'AKIAIOSFODNN7EXAMPLE'],
    ['a longer word', `xAKIA${'Q2W4'.repeat(5)}`],
    ['a public key', `-----BEGIN PUBLIC KEY-----\n${letters(64)}\n-----END PUBLIC KEY-----`],
    ['a token that is too short', 'ghp_abc'],
    ['a binary file', `\0ghp_${letters(36)}`],
  ])('is quiet about %s', (_, text) => {
    expect(findSecrets('app/x', Buffer.from(text))).toEqual([]);
  });

  it('does not show another secret that stands on the same line', () => {
    const first = `glpat-${letters(20)}`;
    const second = `npm_${letters(36)}`;
    const shown = findSecrets('app/x', Buffer.from(`A=${first} B=${second}`)).map(({ match }) => match);
    expect(shown).toEqual([`A=${'*'.repeat(20)}`, `B=${'*'.repeat(20)}`]);
  });
});

it.each([
  ['app/.env', true],
  ['etc/app/config', true],
  ['usr/share/doc/x', false],
  ['app/node_modules/a/test.js', false],
  ['app/logo.png', false],
])('%s may hold secrets: %s', (path, expected) => {
  const nothing = async () => Buffer.alloc(0);
  const entry = {
    path,
    kind: 'file' as const,
    size: 100,
    isExecutable: false,
    read: nothing,
    readAt: nothing,
  };
  expect(mayHoldSecrets(entry)).toBe(expected);
});
