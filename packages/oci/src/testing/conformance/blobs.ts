import { randomBytes } from 'node:crypto';
import { digestBy } from './sets.ts';
import type { Algorithm } from './sets.ts';
import { expectBody, expectDigest, expectHeader, expectStatus } from './wire.ts';
import type { Answer, Subject } from './wire.ts';

const OCTETS = { 'content-type': 'application/octet-stream' };

export interface Upload {
  readonly repository: string;
  readonly digest: string;
  readonly content: Buffer;
  /** The content is not what the digest says: the registry has to notice. */
  readonly isWrong?: boolean;
}

type Push = (subject: Subject, upload: Upload) => Promise<void>;

/** The ways to push a blob. */
export const WAYS: Readonly<Record<string, Push>> = {
  'post only': async (subject, upload) => {
    const { repository, digest, content } = upload;
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    await settled(subject, upload, await subject.ask('POST', path, { headers: OCTETS, body: content }));
  },
  'post and put': async (subject, upload) => {
    const location = await started(subject, upload.repository);
    await settled(subject, upload, await put(subject, location, upload, { body: upload.content }));
  },
  'one patch': async (subject, upload) => {
    const location = await started(subject, upload.repository);
    const patched = await subject.ask('PATCH', location, { headers: OCTETS, body: upload.content });
    expectStatus(patched, 202);
    await settled(subject, upload, await put(subject, expectHeader(patched, 'location'), upload));
  },
  chunks: (subject, upload) => inChunks(subject, upload, { lastInPut: false, outOfOrder: false }),
  'chunks, the last with put': (subject, upload) =>
    inChunks(subject, upload, { lastInPut: true, outOfOrder: false }),
  'chunks out of order': (subject, upload) =>
    inChunks(subject, upload, { lastInPut: false, outOfOrder: true }),
  'chunks out of order, the last with put': (subject, upload) =>
    inChunks(subject, upload, { lastInPut: true, outOfOrder: true }),
};

/** Pushes, mounts, reads in parts and deletes blobs. */
export async function checkBlobs(
  subject: Subject,
  algorithm: Algorithm,
  [one, two]: readonly [string, string],
): Promise<void> {
  const blob = (size: number, repository = one): Upload => {
    const content: Buffer = randomBytes(size);
    return { repository, content, digest: digestBy(algorithm, content) };
  };
  const check = (name: string, work: () => Promise<void>) => subject.check(`${algorithm} ${name}`, work);
  await check('get of what is not there', async () =>
    expectStatus(await subject.ask('GET', `/v2/${one}/blobs/${blob(9).digest}`), 404),
  );
  for (const [way, push] of Object.entries(WAYS)) {
    const upload = blob(3067);
    await check(`push: ${way}`, () => push(subject, upload));
    await readAndDelete(subject, upload);
    await check(`wrong digest: ${way}`, () =>
      push(subject, { ...blob(3067), content: randomBytes(3067), isWrong: true }),
    );
  }
  for (const content of [Buffer.alloc(0), Buffer.from('{}')]) {
    const upload = { repository: one, content, digest: digestBy(algorithm, content) };
    await check(
      `push of ${content.length} bytes`,
      () => WAYS['post and put']?.(subject, upload) ?? Promise.reject(),
    );
    await readAndDelete(subject, upload);
  }
  await checkMounts(subject, blob, check, [one, two]);
  await checkRanges(subject, blob(2048), check);
  await check('cancel', async () => {
    const location = await started(subject, one);
    expectStatus(await subject.ask('DELETE', location), 204);
    expectStatus(await subject.ask('GET', location), 404);
  });
}

type Checker = (name: string, work: () => Promise<void>) => Promise<boolean>;

async function checkMounts(
  subject: Subject,
  blob: (size: number, repository?: string) => Upload,
  check: Checker,
  [one, two]: readonly [string, string],
): Promise<void> {
  for (const [name, query] of [
    ['mount', `&from=${two}`],
    ['mount from anywhere', ''],
  ] as const) {
    const source = blob(512, two);
    await check(`${name}: source`, () => WAYS['post and put']?.(subject, source) ?? Promise.reject());
    await check(name, async () => {
      const answer = await subject.ask('POST', `/v2/${one}/blobs/uploads/?mount=${source.digest}${query}`);
      expectStatus(answer, 201);
      expectBody(await subject.ask('GET', expectHeader(answer, 'location')), source.content);
    });
    await readAndDelete(subject, { ...source, repository: one });
    await readAndDelete(subject, source);
  }
  await check('mount of what is not there becomes an upload', async () => {
    const missing = blob(512);
    const answer = await subject.ask('POST', `/v2/${one}/blobs/uploads/?mount=${missing.digest}&from=${two}`);
    expectStatus(answer, 202);
    await settled(
      subject,
      missing,
      await put(subject, expectHeader(answer, 'location'), missing, { body: missing.content }),
    );
    await readAndDelete(subject, missing);
  });
}

const RANGES: readonly (readonly [string, number, number] | readonly [string])[] = [
  ['bytes=500-1499', 500, 1499],
  ['bytes=500-', 500, 2047],
  ['bytes=-500', 1548, 2047],
  ['bytes=2000-5000', 2000, 2047],
  ['bytes=500-0'],
  ['bytes=5000-10000'],
];

async function checkRanges(subject: Subject, upload: Upload, check: Checker): Promise<void> {
  await check('push for ranges', () => WAYS['post and put']?.(subject, upload) ?? Promise.reject());
  for (const [range, start, end] of RANGES) {
    await check(`range ${range}`, async () => {
      const answer = await subject.ask('GET', blobPath(upload), { headers: { range } });
      if (start === undefined || end === undefined) return expectStatus(answer, 416);
      expectStatus(answer, 206);
      expectBody(answer, upload.content.subarray(start, end + 1));
      expectHeader(answer, 'content-range', `bytes ${start}-${end}/${upload.content.length}`);
      expectHeader(answer, 'content-length', String(end - start + 1));
    });
  }
  await readAndDelete(subject, upload);
}

export async function checkRead(subject: Subject, upload: Omit<Upload, 'isWrong'>): Promise<void> {
  const { digest, content } = upload;
  for (const method of ['HEAD', 'GET']) {
    await subject.check(`${method} of the blob ${digest.slice(0, 18)}`, async () => {
      const answer = await subject.ask(method, blobPath(upload));
      expectStatus(answer, 200);
      expectHeader(answer, 'content-length', String(content.length));
      expectDigest(answer, digest);
      expectBody(answer, method === 'HEAD' ? Buffer.alloc(0) : content);
    });
  }
}

export async function checkDelete(subject: Subject, upload: Omit<Upload, 'isWrong'>): Promise<void> {
  await subject.check('delete of a blob', async () =>
    expectStatus(await subject.ask('DELETE', blobPath(upload)), 202, 404),
  );
  await subject.check('a deleted blob is gone', async () =>
    expectStatus(await subject.ask('HEAD', blobPath(upload)), 404),
  );
}

async function readAndDelete(subject: Subject, upload: Upload): Promise<void> {
  await checkRead(subject, upload);
  await checkDelete(subject, upload);
}

function blobPath({ repository, digest }: Pick<Upload, 'repository' | 'digest'>): string {
  return `/v2/${repository}/blobs/${digest}`;
}

async function started(subject: Subject, repository: string): Promise<string> {
  const answer = await subject.ask('POST', `/v2/${repository}/blobs/uploads/`);
  expectStatus(answer, 202);
  return expectHeader(answer, 'location');
}

async function put(
  subject: Subject,
  location: string,
  { digest }: Upload,
  { body, range }: { body?: Buffer; range?: string } = {},
): Promise<Answer> {
  const headers = { ...OCTETS, ...(range !== undefined && { 'content-range': range }) };
  return await subject.ask('PUT', withDigest(location, digest), { headers, body: body ?? Buffer.alloc(0) });
}

function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

/** The last answer of a push: all is there, or the wrong content was noticed. */
async function settled(
  subject: Subject,
  { digest, content, isWrong }: Upload,
  answer: Answer,
): Promise<void> {
  if (isWrong) return expectStatus(answer, 400);
  expectStatus(answer, 201);
  expectDigest(answer, digest);
  const got = await subject.ask('GET', expectHeader(answer, 'location'));
  expectStatus(got, 200);
  expectBody(got, content);
}

interface Manner {
  readonly lastInPut: boolean;
  /** Before each chunk, one that does not belong there. */
  readonly outOfOrder: boolean;
}

async function inChunks(subject: Subject, upload: Upload, manner: Manner): Promise<void> {
  const { content } = upload;
  let location = await started(subject, upload.repository);
  const step = Math.max(1024, Math.ceil(content.length / 3));
  let final: Answer | undefined;
  for (let start = 0; start < content.length; start += step) {
    const end = Math.min(start + step, content.length);
    if (manner.outOfOrder) location = await misplaced(subject, upload, { location, start, step });
    const part = content.subarray(start, end);
    const range = `${start}-${end - 1}`;
    if (manner.lastInPut && end === content.length)
      final = await put(subject, location, upload, { body: part, range });
    else location = await patched(subject, location, part, range);
  }
  await settled(subject, upload, final ?? (await put(subject, location, upload)));
}

async function patched(subject: Subject, location: string, body: Buffer, range: string): Promise<string> {
  const answer = await subject.ask('PATCH', location, {
    headers: { ...OCTETS, 'content-range': range },
    body,
  });
  expectStatus(answer, 202);
  return expectHeader(answer, 'location');
}

async function misplaced(
  subject: Subject,
  { content }: Upload,
  { location, start, step }: { location: string; start: number; step: number },
): Promise<string> {
  const wrong = start + step < content.length ? start + step : 0;
  if (wrong === start) return location;
  const body = content.subarray(wrong, Math.min(wrong + step, content.length));
  const headers = { ...OCTETS, 'content-range': `${wrong}-${wrong + body.length - 1}` };
  expectStatus(await subject.ask('PATCH', location, { headers, body }), 416);
  const state = await subject.ask('GET', location);
  expectStatus(state, 204);
  const range = expectHeader(state, 'range');
  if (start > 0 && range !== `0-${start - 1}`) throw new Error(`the range is ${range}, not 0-${start - 1}`);
  return expectHeader(state, 'location');
}
