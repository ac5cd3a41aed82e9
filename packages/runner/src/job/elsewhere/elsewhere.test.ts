import { expect, test } from 'vitest';
import { wantedPaths } from './bring-back.ts';
import { registryConfig } from './plan.ts';

const expand = (text: string): string => text.replace('$NAME', 'named');
const job = (paths: readonly string[], more: object = {}) => ({
  artifacts: { paths, exclude: [], untracked: false, reports: {}, ...more } as never,
  caches: [],
});

test.each([
  [
    ['out/', 'out/deep/file', 'reports/**/*.xml'],
    ['out', 'reports'],
  ],
  [
    ['./a/$NAME.txt', '/builds/group/project/b'],
    ['a/named.txt', 'b'],
  ],
  [['*.log', 'out'], ['.']],
  [['../other', '/etc/passwd', ''], []],
  [['.'], ['.']],
])('of the patterns %j the pod is asked for %j', (paths, expected) => {
  expect(wantedPaths(job(paths), expand, '/builds/group/project')).toEqual(expected);
});

test('reports and caches are asked for, and everything when what git does not know is wanted', () => {
  const caches = [{ paths: ['.npm/'], untracked: false }] as never;
  const asked = { ...job(['a'], { reports: { junit: ['junit.xml'], dotenv: ['a/b.env'] } }), caches };
  expect(wantedPaths(asked, expand, '/p')).toEqual(['.npm', 'a', 'junit.xml']);
  expect(wantedPaths(job(['a'], { untracked: true }), expand, '/p')).toEqual(['.']);
});

test('registries are asked as the job’s variables say', () => {
  expect(registryConfig({})).toBeUndefined();
  expect(registryConfig({ DOCKER_AUTH_CONFIG: 'no JSON' })).toBeUndefined();
  const values = {
    CI_REGISTRY: 'r.example.com',
    CI_REGISTRY_USER: 'u',
    CI_REGISTRY_PASSWORD: 'p',
    DOCKER_AUTH_CONFIG: '{"auths":{"other":{"auth":"x"}}}',
  };
  expect(JSON.parse(registryConfig(values) ?? '')).toEqual({
    auths: { 'r.example.com': { auth: Buffer.from('u:p').toString('base64') }, other: { auth: 'x' } },
  });
});
