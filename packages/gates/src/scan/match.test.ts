import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { advisoriesFrom } from './testing/advisories-from.ts';
import { cvssScore } from './advisories/cvss.ts';
import { openAdvisories } from './advisories/index-file.ts';
import type { Advisories } from './advisories/load.ts';
import type { Ecosystem, Inventory, Package } from './inventory-types.ts';
import { match, neededEcosystems } from './match.ts';

const NOW = Date.parse('2026-11-22');

function installed(ecosystem: Ecosystem, name: string, version: string, source?: string): Package {
  const from = { name: source ?? name, version };
  const type = ecosystem === 'npm' ? 'node-pkg' : ecosystem === 'pypi' ? 'python-pkg' : 'os';
  return {
    ecosystem,
    name,
    version,
    source: from,
    architecture: undefined,
    type,
    path: 'p',
    layer: undefined,
  };
}

function debian(...packages: readonly Package[]): Inventory {
  return { os: { family: 'debian', version: '12.1' }, packages };
}

const range = (...events: readonly object[]) => ({ type: 'ECOSYSTEM', events });
const record = (id: string, name: string, more: object, ecosystem = 'npm') => ({
  id,
  affected: [{ package: { ecosystem, name }, ...more }],
});

function found(inventory: Inventory, ...records: readonly object[]): readonly string[] {
  return match(inventory, advisoriesFrom(records, NOW), NOW).vulnerabilities.map(
    ({ id, package: { name }, severity, status, fixedVersion }) =>
      [name, id, severity, status, fixedVersion].join(' ').trim(),
  );
}

const isOver = (version: string) =>
  match({ os: { family: 'debian', version }, packages: [] }, undefined, NOW).isEndOfLife;

describe('matching', () => {
  const twice = record('GHSA-1', 'a', {
    ranges: [range({ introduced: '1.0.0' }, { fixed: '1.2.0' }, { introduced: '2.0.0' }, { fixed: '2.1.0' })],
  });

  it.each([
    ['0.9.0', 0],
    ['1.0.0', 1],
    ['1.1.9', 1],
    ['1.2.0', 0],
    ['2.0.0-rc.1', 0],
    ['2.0.0', 1],
    ['2.1.0-beta', 0],
    ['2.1.0', 0],
  ])('of %s with two ranges gives %d', (version, count) => {
    expect(found(debian(installed('npm', 'a', version)), twice)).toHaveLength(count);
  });

  it('includes the last affected version, and versions that are listed', () => {
    const last = record('X-1', 'a', { ranges: [range({ introduced: '0' }, { last_affected: '1.0.0' })] });
    const listed = record('X-2', 'b', { versions: ['1.0'] }, 'PyPI');
    expect(found(debian(installed('npm', 'a', '1.0.0')), last)).toEqual(['a X-1 UNKNOWN affected']);
    expect(found(debian(installed('npm', 'a', '1.0.1')), last)).toEqual([]);
    expect(found(debian(installed('pypi', 'B', '1.0.0')), listed)).toEqual(['B X-2 UNKNOWN affected']);
  });

  it('goes by the source’s name and version, and reports the binary’s', () => {
    const advisory = record(
      'DEBIAN-CVE-2024-0001',
      'zlib',
      { ranges: [range({ introduced: '0' }, { fixed: '1:2' })] },
      'Debian:12',
    );
    expect(found(debian(installed('dpkg', 'zlib1g', '1:1', 'zlib')), advisory)).toEqual([
      'zlib1g CVE-2024-0001 UNKNOWN fixed 1:2',
    ]);
  });

  it('leaves out what was withdrawn or does not apply', () => {
    const ranges = [range({ introduced: '0' })];
    const withdrawn = { ...record('X-1', 'a', { ranges }), withdrawn: '2024-01-01T00:00:00Z' };
    const inapplicable = { ...record('X-2', 'a', { ranges }), database_specific: { status: 'not_affected' } };
    expect(found(debian(installed('npm', 'a', '1.0.0')), withdrawn, inapplicable)).toEqual([]);
  });

  it('counts what several sources say about one vulnerability once, by the better one', () => {
    const ranges = [range({ introduced: '0' }, { fixed: '2.0.0' })];
    const same = { aliases: ['CVE-2024-0002'] };
    const records = [
      { ...record('NSWG-1', 'a', { ranges }), ...same },
      { ...record('GHSA-2', 'a', { ranges }), ...same, database_specific: { severity: 'MODERATE' } },
      { ...record('RETIRE-3', 'a', { ranges }), aliases: ['GHSA-2'] },
    ];
    expect(found(debian(installed('npm', 'a', '1.0.0')), ...records)).toEqual([
      'a CVE-2024-0002 MEDIUM fixed 2.0.0',
    ]);
  });

  it('takes the vendor’s severity, else the vector’s', () => {
    const ranges = [range({ introduced: '0' })];
    const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }];
    const rated = { ...record('X-1', 'a', { ranges }), severity };
    const vendor = { ...rated, id: 'X-2', database_specific: { severity: 'LOW' } };
    const urgency = record('X-3', 'a', { ranges, ecosystem_specific: { urgency: 'medium**' } });
    expect(
      found(debian(installed('npm', 'a', '1.0.0')), rated, vendor, urgency).map((line) => line.split(' ')[2]),
    ).toEqual(['CRITICAL', 'MEDIUM', 'LOW']);
  });

  it('says what it had no data for', () => {
    const inventory = debian(
      installed('npm', 'a', '1.0.0'),
      installed('dpkg', 'b', '1'),
      installed('dpkg', 'c', '1'),
    );
    const { unchecked } = match(inventory, advisoriesFrom([twice], NOW), NOW);
    expect(unchecked).toEqual([
      { ecosystem: 'dpkg', packages: 2, reason: 'there are no advisories for Debian:12' },
    ]);
    expect(match(inventory, undefined, NOW).unchecked.map(({ packages }) => packages)).toEqual([1, 2]);
    const odd = match(debian(installed('npm', 'a', 'file:../a')), advisoriesFrom([twice], NOW), NOW);
    expect(odd.unchecked).toEqual([
      { ecosystem: 'npm', packages: 1, reason: 'their versions are none (a file:../a)' },
    ]);
  });

  it('survives records of any shape', () => {
    const odd = [
      null,
      1,
      {},
      { id: 'X', affected: 'all' },
      { id: 'X', affected: [{ package: null }] },
      record('Y', 'a', { ranges: [{ events: [{}] }, 3] }),
    ];
    expect(
      match(debian(installed('npm', 'a', '1.0.0')), advisoriesFrom([...odd, twice], NOW), NOW)
        .vulnerabilities,
    ).toHaveLength(1);
  });

  it('knows what OSV calls a release', () => {
    const needed = (family: string, version: string) =>
      neededEcosystems({
        os: { family, version },
        packages: [installed('dpkg', 'a', '1'), installed('go', 'b', '1')],
      });
    expect(needed('debian', '12.15')).toEqual(['Debian:12', 'Go']);
    expect(needed('ubuntu', '22.04')).toEqual(['Ubuntu:22.04:LTS', 'Go']);
    expect(needed('ubuntu', '24.10')).toEqual(['Ubuntu:24.10', 'Go']);
    expect(needed('alpine', '3.20.3')).toEqual(['Alpine:v3.20', 'Go']);
    expect(needed('fedora', '40')).toEqual(['Go']);
  });

  it('knows when a release gets no more fixes', () => {
    expect([isOver('11.11'), isOver('12.15'), isOver('99')]).toEqual([true, false, undefined]);
  });
});

it.each([
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
  ['CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:H', 4.7],
  ['CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:C/C:H/I:H/A:H', 9.1],
  ['CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N', 0],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
  ['CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:P/VC:H/VI:L/VA:L/SC:L/SI:N/SA:N/E:U', 5.9],
  ['CVSS:4.0/AV:L', undefined],
  ['AV:N/AC:L/Au:N/C:P/I:P/A:P', 7.5],
  ['9.8', undefined],
  ['CVSS:3.1/AV:N/AC:L', undefined],
])('the score of %s is %s', (vector, score) => expect(cvssScore(vector)).toBe(score));

const DATA = process.env['UPDRAFT_TEST_ADVISORIES'] ?? '';

describe.skipIf(DATA === '' || !existsSync(DATA))(
  'real advisories (UPDRAFT_TEST_ADVISORIES names their folder)',
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gates-match-'));
    let real: Advisories | undefined;
    beforeAll(async () => {
      real = await openAdvisories(DATA, { folder });
    }, 60_000);
    afterAll(() => {
      real?.close();
      rmSync(folder, { recursive: true });
    });

    it.each([
      [
        'npm',
        'lodash',
        '4.17.15',
        ['CVE-2020-8203 HIGH 4.17.19', 'CVE-2021-23337 HIGH 4.17.21', 'CVE-2020-28500 MEDIUM 4.17.21'],
      ],
      [
        'npm',
        'minimist',
        '0.0.8',
        ['CVE-2021-44906 CRITICAL 0.2.4, 1.2.6', 'CVE-2020-7598 MEDIUM 0.2.1, 1.2.3'],
      ],
      [
        'npm',
        'ws',
        '7.4.0',
        ['CVE-2024-37890 HIGH 5.2.4, 6.2.3, 7.5.10, 8.17.1', 'CVE-2021-32640 MEDIUM 5.2.3, 6.2.2, 7.4.6'],
      ],
      ['dpkg', 'libwebp', '1.2.4-0.2', ['CVE-2023-4863 HIGH 1.2.4-0.2+deb12u1']],
      ['dpkg', 'zlib', '1:1.2.13.dfsg-1', ['CVE-2023-45853 CRITICAL will_not_fix']],
      ['pypi', 'requests', '2.19.0', ['CVE-2018-18074 HIGH 2.20.0', 'CVE-2023-32681 MEDIUM 2.31.0']],
    ] as const)('find in %s %s %s what they say', async (ecosystem, name, version, expected) => {
      const { vulnerabilities } = match(debian(installed(ecosystem, name, version)), real, NOW);
      expect(vulnerabilities.map((v) => `${v.id} ${v.severity} ${v.fixedVersion || v.status}`)).toEqual(
        expected,
      );
    });

    it.each([
      ['curl', '7.88.1-10', ['CVE-2023-38545'], 2],
      ['openssl', '3.0.9-1', ['CVE-2024-5535'], 2],
    ])('find in %s %s the critical %j and %d high ones', async (name, version, critical, high) => {
      const { vulnerabilities } = match(debian(installed('dpkg', name, version)), real, NOW);
      expect(vulnerabilities.filter(({ severity }) => severity === 'CRITICAL').map(({ id }) => id)).toEqual(
        critical,
      );
      expect(vulnerabilities.filter(({ severity }) => severity === 'HIGH')).toHaveLength(high);
    });
  },
);
