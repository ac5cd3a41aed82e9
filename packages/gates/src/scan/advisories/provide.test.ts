import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { systemClock } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyZip } from '../testing/tiny-zip.ts';
import type { Fetch } from './fetch.ts';
import { provideAdvisories } from './provide.ts';

let folder = '';
let nowMs = 0;
let host = 0;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-provide-'));
  nowMs = Date.parse('2026-11-22T12:00:00Z');
  host += 1;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const HOUR_MS = 3_600_000;

const record = (id: string, ecosystem: string, name: string, more: object = {}) => ({
  id,
  affected: [
    { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }] },
  ],
  ...more,
});

const noNetwork: Fetch = () => Promise.reject(new Error('no network'));

async function provide(
  location: string,
  { fetch = noNetwork, ecosystems = ['npm'], offline = false, log = [] as string[] } = {},
) {
  return provideAdvisories({
    location,
    ecosystems,
    home: path.join(folder, 'home'),
    clock: { ...systemClock, now: () => nowMs },
    fetch,
    offline,
    signal: new AbortController().signal,
    onLog: (line) => log.push(line),
  });
}

/** The ids there are for a package; everything is closed again. */
async function ids(location: string, name = 'a', options: Parameters<typeof provide>[1] = {}) {
  const advisories = await provide(location, options);
  const found = advisories?.for(options.ecosystems?.[0] ?? 'npm', name).map(({ id }) => id);
  advisories?.close();
  return found;
}

async function file(name: string, content: string | Buffer): Promise<string> {
  const full = path.join(folder, name);
  await writeFile(full, content);
  return full;
}

describe('advisories of this machine', () => {
  it('are read in every form', async () => {
    const lines = `${JSON.stringify(record('X-1', 'npm', 'a'))}\n\n${JSON.stringify(record('X-2', 'npm', 'b'))}\n`;
    expect(await ids(await file('a.ndjson', lines))).toEqual(['X-1']);
    expect(await ids(await file('a.ndjson.gz', gzipSync(lines)), 'b')).toEqual(['X-2']);
    expect(await ids(await file('a.json', JSON.stringify(record('X-3', 'npm', 'a'))))).toEqual(['X-3']);
    expect(await ids(await file('b.json', JSON.stringify([record('X-4', 'npm', 'a')])))).toEqual(['X-4']);
    const members = {
      'X-5.json': JSON.stringify(record('X-5', 'npm', 'a')),
      'X-6.json': JSON.stringify(record('X-6', 'npm', 'a')),
      'x.txt': 'no',
    };
    expect(await ids(await file('a.zip', tinyZip(members)))).toEqual(['X-5', 'X-6']);
    expect((await ids(folder))?.toSorted()).toEqual(['X-1', 'X-1', 'X-3', 'X-4', 'X-5', 'X-6'].toSorted());
  });

  it('are indexed once, and again when a file changes', async () => {
    const place = await file('a.json', JSON.stringify(record('X-1', 'npm', 'a')));
    const log: string[] = [];
    await ids(place, 'a', { log });
    await ids(place, 'a', { log });
    expect(log).toHaveLength(1);
    await writeFile(place, JSON.stringify(record('X-2', 'npm', 'a')));
    await utimes(place, 1, 1);
    expect(await ids(place, 'a', { log })).toEqual(['X-2']);
    expect(log).toHaveLength(2);
    const indexes = await readdir(path.join(folder, 'home', 'indexes'));
    expect(indexes.filter((name) => name.endsWith('.db'))).toHaveLength(1);
  });

  it('have the date that is stated beside them', async () => {
    await file('a.json', JSON.stringify(record('X-1', 'npm', 'a')));
    await file('metadata.json', '{"date": "2026-01-02"}');
    const advisories = await provide(folder);
    expect(advisories?.dateMs).toBe(Date.parse('2026-01-02'));
    advisories?.close();
  });

  it.each([
    ['half a line', 'a.ndjson', '{"id": "X'],
    ['a broken pack', 'a.ndjson.gz', 'no gzip'],
    [
      'a zip that was cut off',
      'a.zip',
      tinyZip({ 'a.json': JSON.stringify(record('X', 'npm', 'a')) }).subarray(0, 60),
    ],
  ])('%s is a fault, and leaves nothing behind', async (_, name, content) => {
    await expect(provide(await file(name, content))).rejects.toMatchObject({ code: 'ADVISORIES_INVALID' });
    expect(await readdir(path.join(folder, 'home', 'indexes'))).toEqual([]);
  });

  it('a zip whose content was changed is a fault', async () => {
    const zip = tinyZip({ 'a.json': '{}', 'b.json': JSON.stringify(record('X', 'npm', 'a')) });
    zip[zip.indexOf('npm')] = 0x4e;
    await expect(provide(await file('a.zip', zip))).rejects.toThrow('checksum');
  });

  it('nothing there is a fault of its own', async () => {
    await expect(provide(path.join(folder, 'no'))).rejects.toMatchObject({ code: 'ADVISORIES_MISSING' });
    await expect(provide(await file('empty.ndjson', ''))).rejects.toMatchObject({
      code: 'ADVISORIES_MISSING',
    });
  });
});

describe('what a distribution says', () => {
  const ZLIB = JSON.stringify(
    record('DEBIAN-CVE-2023-45853', 'Debian:12', 'zlib', {
      severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    }),
  );

  async function told() {
    const advisories = await provide(folder, { ecosystems: ['Debian:12'] });
    const [found] = advisories?.for('Debian:12', 'zlib') ?? [];
    advisories?.close();
    return found;
  }

  it('is known of the most common findings', async () => {
    await file('a.json', ZLIB);
    expect(await told()).toMatchObject({ status: 'will_not_fix', severity: 'CRITICAL' });
    expect((await told())?.statusReason).toContain('minizip');
  });

  it('comes from a status file', async () => {
    await file('a.json', ZLIB);
    const note = {
      ecosystem: 'Debian:12',
      package: 'zlib',
      id: 'CVE-2023-45853',
      status: 'fix_deferred',
      severity: 'low',
      reason: 'minor',
    };
    await file('debian.status.ndjson', `${JSON.stringify(note)}\n{"odd": 1}\n`);
    expect(await told()).toMatchObject({
      status: 'fix_deferred',
      severity: 'LOW',
      severitySource: 'debian',
      statusReason: 'minor',
    });
  });

  it.each([
    [
      { status: 'open', urgency: 'unimportant', nodsa_reason: 'ignored', nodsa: 'Minor issue' },
      'will_not_fix',
      'LOW',
    ],
    [{ status: 'open', urgency: 'not yet assigned', nodsa_reason: 'postponed' }, 'fix_deferred', 'CRITICAL'],
    [{ status: 'open', urgency: 'end-of-life' }, 'end_of_life', 'CRITICAL'],
    [{ status: 'open', urgency: 'high**' }, 'affected', 'HIGH'],
    [{ status: 'resolved', fixed_version: '0', urgency: 'unimportant' }, 'not_affected', 'LOW'],
    [{ status: 'undetermined', urgency: 'medium' }, 'not_affected', 'MEDIUM'],
  ])('comes from Debian’s tracker: %j', async (state, status, severity) => {
    await file('a.json', ZLIB);
    await file(
      'debian-tracker.json',
      JSON.stringify({ zlib: { 'CVE-2023-45853': { releases: { bookworm: state, sid: {} } } } }),
    );
    expect(await told()).toMatchObject({ status, severity });
  });
});

describe('advisories of the network', () => {
  const zip = (id: string) => tinyZip({ [`${id}.json`]: JSON.stringify(record(id, 'npm', 'a')) });
  const MADE = 'Sat, 21 Nov 2026 10:00:00 GMT';
  const answer = (body: Buffer, headers: Record<string, string> = {}) =>
    new Response(new Uint8Array(body), { headers: { 'last-modified': MADE, etag: '"1"', ...headers } });
  const url = () => `https://h${host}.example.org/all.zip`;

  it('are fetched, kept, dated by their maker, and asked for again when they are old', async () => {
    const asked: (string | undefined)[] = [];
    const fetch: Fetch = async (_, { headers }) => {
      asked.push(headers['if-none-match']);
      return asked.length === 2 ? new Response(null, { status: 304 }) : answer(zip(`X-${asked.length}`));
    };
    expect(await ids(url(), 'a', { fetch })).toEqual(['X-1']);
    expect(await ids(url(), 'a', { fetch })).toEqual(['X-1']);
    nowMs += 13 * HOUR_MS;
    expect(await ids(url(), 'a', { fetch })).toEqual(['X-1']);
    nowMs += 13 * HOUR_MS;
    expect(await ids(url(), 'a', { fetch })).toEqual(['X-3']);
    expect(asked).toEqual([undefined, '"1"', '"1"']);
    const advisories = await provide(url(), { fetch });
    expect(advisories?.dateMs).toBe(Date.parse(MADE));
    advisories?.close();
  });

  it('are fetched once for all who want them at the same time', async () => {
    let asked = 0;
    const fetch: Fetch = async () => {
      asked += 1;
      return answer(zip('X-1'));
    };
    const all = await Promise.all([1, 2, 3].map(async () => ids(url(), 'a', { fetch })));
    expect([asked, all]).toEqual([1, [['X-1'], ['X-1'], ['X-1']]]);
  });

  it('stay in use when the network fails, which is said', async () => {
    await ids(url(), 'a', { fetch: async () => answer(zip('X-1')) });
    nowMs += 48 * HOUR_MS;
    const log: string[] = [];
    expect(await ids(url(), 'a', { log })).toEqual(['X-1']);
    expect(log.join()).toContain('could not be refreshed');
  });

  it.each([
    ['cut off', (body: Buffer) => answer(body, { 'content-length': String(body.length + 1) })],
    [
      'changed on the way',
      (body: Buffer) => answer(body, { 'x-goog-hash': 'crc32c=x,md5=AAAAAAAAAAAAAAAAAAAAAA==' }),
    ],
    ['broken', (body: Buffer) => answer(body.subarray(0, 50))],
    ['refused', () => new Response('no', { status: 403 })],
  ])('that are %s are not used', async (_, respond) => {
    await expect(provide(url(), { fetch: async () => respond(zip('X-1')) })).rejects.toMatchObject({
      code: 'ADVISORIES_NOT_FETCHED',
    });
    const downloads = await readdir(path.join(folder, 'home', 'downloads')).catch(() => []);
    expect(downloads).toEqual([]);
  });

  it('are not asked for when that is forbidden', async () => {
    await expect(provide(url(), { offline: true })).rejects.toMatchObject({ code: 'ADVISORIES_NOT_FETCHED' });
    await ids(url(), 'a', { fetch: async () => answer(zip('X-1')) });
    nowMs += 48 * HOUR_MS;
    expect(await ids(url(), 'a', { offline: true })).toEqual(['X-1']);
  });

  it('come from osv.dev for what is needed', async () => {
    const asked: string[] = [];
    const fetch: Fetch = async (wanted) => {
      asked.push(decodeURIComponent(new URL(wanted).pathname));
      return wanted.includes('npm') ? answer(zip('X-1')) : new Response(null, { status: 404 });
    };
    const log: string[] = [];
    expect(await ids('osv', 'a', { fetch, ecosystems: ['npm', 'Debian:12'], log })).toEqual(['X-1']);
    expect(asked).toEqual(['/npm/all.zip', '/Debian:12/all.zip']);
    expect(log.join()).toContain('404');
  });
});
