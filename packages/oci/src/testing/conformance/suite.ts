import { randomBytes } from 'node:crypto';
import { WAYS, checkBlobs, checkDelete, checkRead } from './blobs.ts';
import { SetMaker, allSets, digestBy } from './sets.ts';
import type { ContentSet, Part } from './sets.ts';
import { Subject, expectBody, expectDigest, expectHeader, expectStatus } from './wire.ts';
import type { Answer, Check } from './wire.ts';

const REPOSITORY = 'conformance/one';
const SECOND = 'conformance/two';
/** Those that every registry has; the others are asked about apart. */
const PLAIN_WAYS = ['post and put', 'one patch', 'chunks'];

/**
 * What a registry of the OCI distribution specification 1.1 has to answer, asked over HTTP: every way to push, every kind
 * of content, lists, referrers, deletes and mistakes. Gives every check that was made.
 */
export async function checkRegistry(base: string, authorization?: string): Promise<readonly Check[]> {
  const subject = new Subject(base, authorization);
  await subject.check('ping', async () => expectStatus(await subject.ask('GET', '/v2/'), 200));
  await checkEmpty(subject);
  for (const algorithm of ['sha256', 'sha512'] as const)
    await checkBlobs(subject, algorithm, [REPOSITORY, SECOND]);
  for (const set of allSets()) await checkSet(subject, set);
  await checkMistakes(subject);
  return subject.checks;
}

async function checkEmpty(subject: Subject): Promise<void> {
  await subject.check('tags of nothing', async () =>
    expectStatus(await subject.ask('GET', `/v2/${REPOSITORY}/tags/list`), 200, 404),
  );
  await subject.check('referrers of nothing', async () => {
    const digest = digestBy('sha256', randomBytes(9));
    await referrersOf(subject, digest);
  });
}

async function checkSet(subject: Subject, set: ContentSet): Promise<void> {
  const check = (name: string, work: () => Promise<void>) => subject.check(`${set.name}: ${name}`, work);
  const blobs = [...set.blobs].map(([digest, content]) => ({ repository: REPOSITORY, digest, content }));
  const ways = Object.entries(WAYS).filter(([way]) => PLAIN_WAYS.includes(way));
  for (const [index, blob] of blobs.entries()) {
    const [way, push] = ways[index % ways.length] ?? [];
    await check(`push a blob: ${way}`, () => push?.(subject, blob) ?? Promise.reject(new Error('no way')));
  }
  await putManifests(subject, set);
  await check('tags', () => checkTags(subject, [...set.tags.keys()]));
  for (const [reference, digest] of references(set)) {
    for (const method of ['HEAD', 'GET'])
      await check(`${method} of a manifest`, () => readManifest(subject, set, { method, reference, digest }));
  }
  for (const blob of blobs) await checkRead(subject, blob);
  for (const [digest, wanted] of set.referrers)
    await check('referrers', () => checkReferrers(subject, digest, wanted));
  for (const tag of set.tags.keys()) await checkGone(subject, set, tag);
  for (const digest of [...set.manifests.keys()].toReversed()) await checkGone(subject, set, digest);
  for (const blob of blobs) await checkDelete(subject, blob);
}

async function putManifests(subject: Subject, set: ContentSet): Promise<void> {
  const check = (name: string, work: () => Promise<void>) => subject.check(`${set.name}: ${name}`, work);
  for (const digest of set.manifests.keys())
    await check('put by digest', () => putManifest(subject, set, digest));
  for (const [tag, digest] of set.tagsAsParameters ? [] : set.tags)
    await check('put by tag', () => putManifest(subject, set, digest, tag));
}

function references(set: ContentSet): readonly (readonly [string, string])[] {
  return [...set.tags, ...[...set.manifests.keys()].map((digest) => [digest, digest] as const)];
}

function bytesOf(set: ContentSet, digest: string): Buffer {
  return set.manifests.get(digest) ?? Buffer.alloc(0);
}

function typeOf(bytes: Buffer): string {
  return (JSON.parse(bytes.toString()) as { mediaType: string }).mediaType;
}

async function putManifest(subject: Subject, set: ContentSet, digest: string, tag?: string): Promise<void> {
  const body = bytesOf(set, digest);
  const tags = set.tagsAsParameters
    ? [...set.tags].filter(([, target]) => target === digest).map(([name]) => name)
    : [];
  const query = tags.length === 0 ? '' : `?${tags.map((name) => `tag=${name}`).join('&')}`;
  const path = `/v2/${REPOSITORY}/manifests/${tag ?? digest}${query}`;
  const answer = await subject.ask('PUT', path, { headers: { 'content-type': typeOf(body) }, body });
  expectStatus(answer, 201);
  expectDigest(answer, digest);
  const shown = answer.headers.get('oci-tag')?.split(', ') ?? [];
  if (tags.some((name) => !shown.includes(name)))
    throw new Error(`OCI-Tag is ${shown.join()}, not ${tags.join()}`);
  const { subject: refersTo } = JSON.parse(body.toString()) as { subject?: Part };
  if (refersTo) expectHeader(answer, 'oci-subject', refersTo.digest);
  checkManifest(await subject.ask('GET', expectHeader(answer, 'location')), body);
}

function checkManifest(answer: Answer, body: Buffer, method = 'GET'): void {
  expectStatus(answer, 200);
  expectHeader(answer, 'content-type', typeOf(body));
  expectHeader(answer, 'content-length', String(body.length));
  expectBody(answer, method === 'HEAD' ? Buffer.alloc(0) : body);
}

interface ManifestAt {
  readonly method: string;
  readonly reference: string;
  readonly digest: string;
}

async function readManifest(
  subject: Subject,
  set: ContentSet,
  { method, reference, digest }: ManifestAt,
): Promise<void> {
  const answer = await subject.manifest(method, REPOSITORY, reference);
  checkManifest(answer, bytesOf(set, digest), method);
  expectDigest(answer, digest);
}

async function checkTags(subject: Subject, tags: readonly string[]): Promise<void> {
  const all = await tagsOf(subject, '');
  const missing = tags.filter((tag) => !all.includes(tag));
  if (missing.length > 0) throw new Error(`not listed: ${missing.join()}`);
  const sorted = all.toSorted();
  const middle = Math.floor(sorted.length / 2);
  if (middle === 0) return;
  const rest = await tagsOf(subject, `?last=${sorted[middle - 1]}`);
  if (rest.join() !== sorted.slice(middle).join())
    throw new Error(`after ${sorted[middle - 1]}: ${rest.join()}`);
  const first = await tagsOf(subject, '?n=1');
  if (first.join() !== sorted[0]) throw new Error(`the first of ${sorted.join()} is ${first.join()}`);
}

async function tagsOf(subject: Subject, query: string): Promise<readonly string[]> {
  const answer = await subject.ask('GET', `/v2/${REPOSITORY}/tags/list${query}`);
  expectStatus(answer, 200, 404);
  return answer.status === 404
    ? []
    : ((JSON.parse(answer.body.toString()) as { tags: string[] | null }).tags ?? []);
}

async function referrersOf(
  subject: Subject,
  digest: string,
  query = '',
): Promise<{ answer: Answer; found: Part[] }> {
  const answer = await subject.ask('GET', `/v2/${REPOSITORY}/referrers/${digest}${query}`);
  expectStatus(answer, 200);
  expectHeader(answer, 'content-type', 'application/vnd.oci.image.index.v1+json');
  const index = JSON.parse(answer.body.toString()) as {
    schemaVersion: number;
    mediaType: string;
    manifests: Part[];
  };
  if (index.schemaVersion !== 2 || !index.mediaType.includes('index'))
    throw new Error('the answer is no index');
  return { answer, found: index.manifests };
}

async function checkReferrers(subject: Subject, digest: string, wanted: readonly Part[]): Promise<void> {
  expectSame((await referrersOf(subject, digest)).found, wanted);
  for (const type of new Set(wanted.map((part) => String(part['artifactType'])))) {
    const { answer, found } = await referrersOf(subject, digest, `?artifactType=${encodeURIComponent(type)}`);
    expectHeader(answer, 'oci-filters-applied', 'artifactType');
    expectSame(
      found,
      wanted.filter((part) => part['artifactType'] === type),
    );
  }
}

function expectSame(found: readonly Part[], wanted: readonly Part[]): void {
  const text = (parts: readonly Part[]) =>
    parts
      .map(({ mediaType, digest, size, artifactType, annotations }) =>
        JSON.stringify([
          digest,
          mediaType,
          size,
          artifactType,
          Object.entries(annotations ?? {})
            .map(String)
            .toSorted(),
        ]),
      )
      .toSorted()
      .join('\n');
  if (text(found) !== text(wanted)) throw new Error(`referrers are\n${text(found)}\nnot\n${text(wanted)}`);
}

async function checkGone(subject: Subject, set: ContentSet, reference: string): Promise<void> {
  const path = `/v2/${REPOSITORY}/manifests/${reference}`;
  await subject.check(`${set.name}: delete of a manifest`, async () =>
    expectStatus(await subject.ask('DELETE', path), 202),
  );
  await subject.check(`${set.name}: a deleted manifest is gone`, async () =>
    expectStatus(await subject.manifest('HEAD', REPOSITORY, reference), 404),
  );
}

async function checkMistakes(subject: Subject): Promise<void> {
  for (const reference of [digestBy('sha256', randomBytes(9)), 'no-such-tag'])
    await subject.check('get of no manifest', async () =>
      expectStatus(await subject.manifest('GET', REPOSITORY, reference), 404),
    );
  const maker = new SetMaker('mistakes');
  const { digest } = maker.image({ layers: 1 });
  for (const [key, content] of maker.set.blobs) {
    const upload = { repository: REPOSITORY, digest: key, content };
    await subject.check('push a blob', () => WAYS['post only']?.(subject, upload) ?? Promise.reject());
  }
  const body = bytesOf(maker.set, digest);
  const headers = { 'content-type': typeOf(body) };
  const wrong = `/v2/${REPOSITORY}/manifests/sha256:baddigeststring`;
  await subject.check('put by a digest that is none', async () =>
    expectStatus(await subject.ask('PUT', wrong, { headers, body }), 400),
  );
  await subject.check('get by a digest that is none', async () =>
    expectStatus(await subject.ask('GET', wrong), 400, 404),
  );
  const spoilt = bytesOf(maker.spoil().set, digest);
  await subject.check('put of other content than the digest says', async () =>
    expectStatus(
      await subject.ask('PUT', `/v2/${REPOSITORY}/manifests/${digest}`, { headers, body: spoilt }),
      400,
    ),
  );
}
