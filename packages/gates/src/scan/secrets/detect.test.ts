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
  'shopify-token': ['app/x', `shpat_${'aB3'.repeat(10)}a1`],
  'heroku-api-key': ['app/x', `heroku_key = "aB3aB3a1-aB3a-aB3a-aB3a-${'aB3'.repeat(4)}"`],
  'alibaba-access-key-id': ['app/x', `LTAI${letters(20)}`],
  'alibaba-secret-key': ['app/x', `alibaba_secret: "${letters(30)}"`],
  'atlassian-api-token': ['app/x', `ATLASSIAN_TOKEN="${letters(24)}"`],
  'bitbucket-client-id': ['app/x', `bitbucket_client_id = '${letters(32)}'`],
  'bitbucket-client-secret': ['app/x', `bitbucket_secret = '${letters(64)}'`],
  'dropbox-api-secret': ['app/x', `dropbox_secret = '${letters(15)}'`],
  'dropbox-short-lived-api-token': ['app/x', `dropbox_token = 'sl.${letters(135)}'`],
  'dropbox-long-lived-api-token': ['app/x', `dropbox_token = '${letters(11)}AAAAAAAAAA${letters(43)}'`],
  'private-packagist-token': ['app/x', `packagist_ort_${'ab3c'.repeat(17)}`],
  'pulumi-api-token': ['app/x', `pul-${'ab3c'.repeat(10)}`],
  'openai-project-api-key': ['app/x', `sk-proj-${letters(30)}T3BlbkFJ${letters(30)}`],
  'openai-service-account-key': ['app/x', `sk-svcacct-${letters(30)}T3BlbkFJ${letters(30)}`],
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

  it('finds keys and configurations as other files hold them', () => {
    const key = String.raw`{"key": "-----BEGIN PRIVATE KEY-----\n${letters(80)}\n-----END PRIVATE KEY-----"}`;
    const config = `data:\n  .dockerconfigjson: eyJ${letters(40)}\n`;
    expect(findSecrets('app/a.json', Buffer.from(key)).map(({ ruleId }) => ruleId)).toEqual(['private-key']);
    expect(findSecrets('app/s.yaml', Buffer.from(config)).map(({ ruleId }) => ruleId)).toEqual([
      'dockerconfig-secret',
    ]);
  });

  it('does not take long over a file that is made to take long', () => {
    const started = performance.now();
    findSecrets('app/x', Buffer.from('-----BEGIN PRIVATE KEY-----\n'.repeat(100_000)));
    expect(performance.now() - started).toBeLessThan(2000);
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
