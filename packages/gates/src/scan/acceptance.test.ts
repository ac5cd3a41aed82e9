import { describe, expect, it } from 'vitest';
import { acceptanceOf } from './acceptance.ts';
import type { Acceptance } from './acceptance.ts';
import { readIgnoreFile } from './ignore-file.ts';
import { coversPurl, parsePurl } from './purl.ts';
import { parseVex } from './vex.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const LODASH = 'pkg:npm/lodash@4.17.15';

const isAccepted = (entries: readonly Acceptance[], id: string, path = 'app/x', purl = LODASH) =>
  acceptanceOf(entries, { ids: [id], kind: 'vulnerability', path, purl }, NOW) !== undefined;

describe('an ignore file', () => {
  const read = (text: string, name = '.trivyignore') => readIgnoreFile(text, name);

  it('takes the comment above an id, or behind it, for the reason', () => {
    const { entries } = read(
      '# About the file.\n\n# why\n# it is fine\nCVE-1 exp:2027-01-01\nCVE-2 # also fine\n\nCVE-3\n',
    );
    expect(entries.map(({ id, reason }) => [id, reason])).toEqual([
      ['CVE-1', 'why it is fine'],
      ['CVE-2', 'also fine'],
      ['CVE-3', undefined],
    ]);
  });

  const YAML = `
vulnerabilities:
  - id: CVE-1
    paths: ["app/**", "usr/*/x"]
    statement: not reachable
  - id: CVE-2
    purls: ["pkg:npm/lodash"]
    expired_at: 2026-11-22
  - id: CVE-3
    expired_at: 2026-11-21
  - id: CVE-4
    expired_at: tomorrow
  - paths: [x]
  - id: CVE-5
    purls: [lodash]
secrets:
  - id: github-pat
misconfigurations:
  - id: AVD-1
others: []
`;

  it('in YAML goes by paths, packages and days', () => {
    const { entries, problems } = read(YAML, 'ignore.yaml');
    expect(isAccepted(entries, 'CVE-1')).toBe(true);
    expect(isAccepted(entries, 'CVE-1', 'opt/x')).toBe(false);
    expect(isAccepted(entries, 'CVE-1', 'usr/a/x')).toBe(true);
    expect(isAccepted(entries, 'CVE-1', 'usr/a/b/x')).toBe(false);
    expect(isAccepted(entries, 'CVE-2')).toBe(true);
    expect(isAccepted(entries, 'CVE-2', 'app/x', 'pkg:npm/other@1')).toBe(false);
    expect(isAccepted(entries, 'CVE-3')).toBe(false);
    expect(isAccepted(entries, 'github-pat')).toBe(false);
    expect(acceptanceOf(entries, { ids: ['github-pat'], kind: 'secret', path: 'x' }, NOW)).toBeDefined();
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'vulnerabilities[3]',
      'vulnerabilities[4]',
      'vulnerabilities[5]',
      'the section others is not known',
    ]);
  });

  it('that is no YAML accepts nothing', () => {
    const { entries, problems } = read('a: [', 'x.yml');
    expect(entries).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});

describe('package URLs', () => {
  it.each([
    ['pkg:npm/%40s/p@1.0.0', { type: 'npm', namespace: '@s', name: 'p', version: '1.0.0' }],
    ['pkg:npm/@s/p', { type: 'npm', namespace: '@s', name: 'p', version: undefined }],
    ['pkg:deb/debian/zlib1g@1%3A1.2?arch=amd64&distro=debian-12', { namespace: 'debian', version: '1:1.2' }],
    ['pkg:golang/github.com/a/b@v1.0.0#cmd', { namespace: 'github.com/a', name: 'b', version: 'v1.0.0' }],
  ])('%s', (written, expected) => expect(parsePurl(written)).toMatchObject(expected));

  it.each(['', 'npm/lodash', 'pkg:npm', 'pkg:npm/'])('%j is none', (written) =>
    expect(parsePurl(written)).toBeUndefined(),
  );

  it.each([
    ['pkg:npm/a', 'pkg:npm/a@1', true],
    ['pkg:npm/a@1', 'pkg:npm/a@1', true],
    ['pkg:npm/a@1', 'pkg:npm/a@2', false],
    ['pkg:npm/a', 'pkg:pypi/a@1', false],
    ['pkg:deb/debian/a?arch=arm64', 'pkg:deb/debian/a@1?arch=amd64', false],
    ['pkg:deb/debian/a?arch=amd64', 'pkg:deb/debian/a@1?arch=amd64&distro=debian-12', true],
  ])('%s covers %s: %s', (pattern, purl, expected) => {
    const [a, b] = [parsePurl(pattern), parsePurl(purl)];
    expect(a && b && coversPurl(a, b)).toBe(expected);
  });
});

describe('a VEX document', () => {
  const subject = { names: ['registry.example.org/team/app:1'], digests: ['sha256:1'] };
  const openVex = (...statements: readonly object[]) =>
    parseVex(JSON.stringify({ '@context': 'https://openvex.dev/ns/v0.2.0', statements }), 'x.json', subject);
  const about = (product: unknown, status = 'not_affected', more = {}) => ({
    vulnerability: { name: 'CVE-1', aliases: ['GHSA-1'] },
    products: [product],
    status,
    ...more,
  });

  it.each([
    ['the package', about({ '@id': LODASH }), true],
    ['the package by another key', about({ identifiers: { purl: LODASH } }), true],
    ['another version', about({ '@id': 'pkg:npm/lodash@4.17.16' }), false],
    ['the image', about({ '@id': 'pkg:oci/app@sha256%3A1' }), true],
    [
      'the image’s package',
      about({ '@id': 'pkg:oci/app', subcomponents: [{ '@id': 'pkg:npm/lodash' }] }),
      true,
    ],
    [
      'another package of the image',
      about({ '@id': 'pkg:oci/app', subcomponents: [{ '@id': 'pkg:npm/other' }] }),
      false,
    ],
    ['another image', about({ '@id': 'pkg:oci/other' }), false],
    ['another digest', about({ '@id': 'pkg:oci/app@sha256%3A2' }), false],
    ['what is affected', about({ '@id': LODASH }, 'affected'), false],
    ['what is fixed', about({ '@id': LODASH }, 'fixed'), true],
    ['what is looked at', about({ '@id': LODASH }, 'under_investigation'), false],
  ])('(OpenVEX) about %s', (_, statement, expected) => {
    expect(isAccepted(openVex(statement).entries, 'CVE-1')).toBe(expected);
    expect(isAccepted(openVex(statement).entries, 'GHSA-1')).toBe(expected);
  });

  it('(OpenVEX) means what it said last', () => {
    const { entries } = openVex(
      about({ '@id': LODASH }, 'not_affected', { timestamp: '2026-01-01T00:00:00Z' }),
      about({ '@id': LODASH }, 'affected', { timestamp: '2026-02-01T00:00:00Z' }),
    );
    expect(entries).toEqual([]);
  });

  it.each([
    ['not_affected', LODASH, true],
    ['false_positive', `urn:cdx:1/1#${LODASH}`, true],
    ['exploitable', LODASH, false],
    ['not_affected', 'pkg:npm/other@1', false],
  ])('(CycloneDX) %s of %s', (state, ref, expected) => {
    const document = {
      bomFormat: 'CycloneDX',
      vulnerabilities: [{ id: 'CVE-1', analysis: { state, detail: 'so' }, affects: [{ ref }] }],
    };
    expect(isAccepted(parseVex(JSON.stringify(document), 'x.json', subject).entries, 'CVE-1')).toBe(expected);
  });

  it.each(['{', '{}', '[]', '{"@context": 1}'])('%s is none', (text) => {
    expect(parseVex(text, 'x.json', subject).problems).toHaveLength(1);
  });
});
