import { expect, test } from 'vitest';
import { parseWords } from '../command.ts';
import type { Context } from '../command.ts';
import { image } from './image.ts';
import { buildRequest } from './image-build.ts';

const request = (words: readonly string[], env = {}) =>
  buildRequest({ ...parseWords(image, words), env, cwd: '/w' } as unknown as Context);

test('paths are the caller’s, what is elsewhere stays as it is', () => {
  expect(request([])).toMatchObject({ context: '/w', dockerfile: '/w/Dockerfile' });
  expect(request(['--context', 'c', '-f', 'D'])).toMatchObject({ context: '/w/c', dockerfile: '/w/D' });
  expect(request(['--context', 'https://h/x.git#main', '-f', 'D'])).toMatchObject({
    context: 'https://h/x.git#main',
    dockerfile: 'D',
  });
  expect(request(['--context', 'c.tar.gz'])).toMatchObject({
    context: '/w/c.tar.gz',
    dockerfile: 'Dockerfile',
  });
  const contexts = ['a=./d', 'b=oci-layout:l', 'c=docker-image://x', 'd=img', 'e=..'];
  expect(request(contexts.flatMap((text) => ['--build-context', text])).buildContexts).toEqual({
    a: '/w/d',
    b: 'oci-layout:/w/l',
    c: 'docker-image://x',
    d: 'img',
    e: '/',
  });
});

test('secrets, agents and limits', () => {
  const env = { TOKEN: 't', SSH_AUTH_SOCK: '/agent' };
  const words = ['--secret', 'id=a,src=f', '--secret', 'id=b,env=TOKEN', '--ssh', 'default', '--ssh', 'x=s'];
  expect(
    request([...words, '--timeout', '2', '--memory', '10', '--processes', '5', '--no-cache'], env),
  ).toMatchObject({
    secrets: [
      { id: 'a', source: '/w/f' },
      { id: 'b', value: 't' },
    ],
    ssh: { default: '/agent', x: '/w/s' },
    timeoutMs: 2000,
    memoryBytes: 10 * 2 ** 20,
    processes: 5,
    noCache: true,
  });
  expect(() => request(['--secret', 'id=a,env=NONE'])).toThrow('needs id, and src or env');
  expect(() => request(['--ssh', 'default'])).toThrow('there is no agent');
  expect(() => request(['--timeout', 'soon'])).toThrow('needs a number');
});

test('what is attached needs a name', () => {
  expect(request(['-t', 'a', '--sbom', '--provenance'])).toMatchObject({ sbom: 'spdx', provenance: true });
  expect(request(['-t', 'a', '--sbom-format', 'cyclonedx'])).toMatchObject({ sbom: 'cyclonedx' });
  expect(request(['-t', 'a'])).not.toHaveProperty('sbom');
  expect(() => request(['--sbom'])).toThrow('found by the image’s name');
  expect(() => request(['-t', 'a', '--sbom-format', 'x'])).toThrow('no SBOM format x');
});

test('the date of the sources is taken from the environment, unless it is given', () => {
  const env = { SOURCE_DATE_EPOCH: '7' };
  expect(request([], env).buildArgs).toEqual({ SOURCE_DATE_EPOCH: '7' });
  expect(request(['--build-arg', 'SOURCE_DATE_EPOCH=8'], env).buildArgs).toEqual({ SOURCE_DATE_EPOCH: '8' });
  expect(request([]).buildArgs).toEqual({});
});
