import { rm } from 'node:fs/promises';
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@updraft/kit';
import type { BuildImage } from '@updraft/control';
import { referrersOf, tagWithReferrers } from '@updraft/oci';
import type { Image } from '@updraft/oci';
import { TEST_CREDENTIALS, makeTar, serveRegistry, temporaryStore } from '@updraft/oci/testing';
import type { TemporaryStore } from '@updraft/oci/testing';
import { attachAsked } from './attachments.ts';

const STATUS = `Package: tiny
Status: install ok installed
Architecture: amd64
Version: 1.2-3
Description: for a test
`;

let temporary: TemporaryStore;
beforeEach(async () => {
  temporary = await temporaryStore();
});
afterEach(() => temporary.remove());

/** An image with one Debian package, in a layer that came compressed, as a pulled one does. */
async function pulledImage(name: string): Promise<Image> {
  const { store } = temporary;
  const tar = makeTar([
    { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' },
    { path: 'var/lib/dpkg/status', content: STATUS },
  ]);
  const { digest: diffId } = await store.blobs.write(tar);
  const plain = await store.putImage(
    { created: '2024-01-02T03:04:05Z', architecture: 'amd64', os: 'linux', history: [] },
    [{ diffId, size: tar.length }],
  );
  const gzip = await store.blobs.write(Readable.from([tar]).pipe(createGzip()));
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...gzip };
  const manifest = JSON.stringify({ ...plain.manifest, layers: [layer] });
  const { digest } = await store.blobs.write(Buffer.from(manifest));
  await rm(store.blobs.path(diffId));
  await store.tag(name, digest);
  const image = await store.get(digest);
  if (!image) throw new Error('the image is not there');
  return image;
}

const asked = (more: Partial<BuildImage>): BuildImage => ({
  context: 'https://me:hunter2@git.example/x.git',
  dockerfile: 'Dockerfile',
  buildArgs: { TOKEN: 'hunter2' },
  tags: ['app:1'],
  secrets: [{ id: 'key', value: 'hunter2' }],
  buildContexts: {},
  ...more,
});

async function attach(more: Partial<BuildImage>) {
  const image = await pulledImage('app:1');
  const base = { reference: 'debian:12', digest: image.digest };
  const built = { kind: 'built' as const, image, steps: 1, cachedSteps: 0, bases: [base] };
  const { store } = temporary;
  const summaries = { get: () => Promise.resolve(undefined), set: () => Promise.resolve() };
  const attached = await attachAsked({ store, clock: systemClock, summaries }, asked(more), built);
  return { image, attached };
}

/** What a registry's referrers API lists, with the content of each. */
async function referrersOverHttp(image: Image) {
  const server = await serveRegistry(temporary.store);
  const { username, password } = TEST_CREDENTIALS;
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  const get = async (rest: string) => {
    const response = await fetch(`http://${server.host}/v2/library/app/${rest}`, { headers });
    expect(response.status).toBe(200);
    return (await response.json()) as { manifests: never[]; layers: { digest: string }[] };
  };
  try {
    await tagWithReferrers(temporary.store, `${server.host}/library/app:1`, image.digest);
    const { manifests } = await get(`referrers/${image.digest}`);
    const found = [];
    for (const { digest, artifactType } of manifests as { digest: string; artifactType: string }[]) {
      const { layers } = await get(`manifests/${digest}`);
      found.push({ artifactType, content: await get(`blobs/${layers[0]?.digest ?? ''}`) });
    }
    return found;
  } finally {
    await server.close();
  }
}

test.each([
  ['spdx', 'application/spdx+json', { packages: expect.arrayContaining([expect.objectContaining({ name: 'tiny', versionInfo: '1.2-3' })]) }], // prettier-ignore
  ['cyclonedx', 'application/vnd.cyclonedx+json', { components: expect.arrayContaining([expect.objectContaining({ name: 'tiny', version: '1.2-3' })]) }], // prettier-ignore
] as const)('a bill of materials lists what is installed: %s', async (sbom, artifactType, expected) => {
  const { image, attached } = await attach({ sbom });
  expect(attached).toMatchObject([{ artifactType }]);
  expect(await referrersOverHttp(image)).toMatchObject([{ artifactType, content: expected }]);
  // Made again it is the same one.
  await attach({ sbom });
  expect(referrersOf(temporary.store, image.digest)).toHaveLength(1);
});

test('a provenance says what the image was made from, and no secrets', async () => {
  const { image } = await attach({ provenance: true });
  const [found] = await referrersOverHttp(image);
  const hex = image.digest.slice('sha256:'.length);
  expect(found).toMatchObject({
    artifactType: 'application/vnd.in-toto+json',
    content: {
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      subject: [{ name: 'app:1', digest: { sha256: hex } }],
      predicate: {
        buildDefinition: {
          externalParameters: { buildArgs: ['TOKEN'], secrets: ['key'] },
          resolvedDependencies: [{ uri: 'docker://debian:12', digest: { sha256: hex } }],
        },
        runDetails: { metadata: { finishedOn: '2024-01-02T03:04:05Z' } },
      },
    },
  });
  expect(JSON.stringify(found)).not.toContain('hunter2');
});

test('nothing asked for, nothing attached', async () => {
  expect((await attach({})).attached).toEqual([]);
});
