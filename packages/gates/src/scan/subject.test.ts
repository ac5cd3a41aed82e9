import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { advisoriesFrom } from './testing/advisories-from.ts';
import { trivyCommand } from './command.ts';
import { goProgram } from './testing/go-program.ts';
import { DEBIAN_12, dpkg, npm, tinyImage } from './testing/tiny-image.ts';
import type { LayerFiles } from './testing/tiny-image.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

const record = (id: string, ecosystem: string, name: string, fixed: string) => ({
  id,
  affected: [
    {
      package: { ecosystem, name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
  database_specific: { severity: 'HIGH' },
});

const RECORDS = [
  record('CVE-2024-0001', 'npm', 'lodash', '4.17.21'),
  record('CVE-2024-0002', 'Debian:12', 'zlib', '2'),
  record('CVE-2024-0003', 'Go', 'stdlib', '1.22.4'),
  record('CVE-2024-0004', 'Go', 'golang.org/x/net', '0.23.0'),
  record('CVE-2024-0005', 'PyPI', 'requests', '2.20.0'),
];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-subject-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content, { mode: typeof content === 'string' ? 0o644 : 0o755 });
  }
}

async function trivy(
  argv: string,
  {
    files = {},
    layers = [],
  }: { files?: Readonly<Record<string, string>>; layers?: readonly LayerFiles[] } = {},
) {
  let out = '';
  let err = '';
  const image = await tinyImage(folder, layers);
  const code = await trivyCommand(argv.split(' '), {
    image: async () => image,
    folder: async (name) => (name === '.' ? folder : undefined),
    advisories: async () => advisoriesFrom(RECORDS, NOW),
    readFile: async (file) => files[file],
    writeFile: () => Promise.reject(new Error('nothing is written here')),
    stdin: async () => '',
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
    env: {},
    clock: { ...systemClock, now: () => NOW },
  });
  return { code, out, err };
}

interface Report {
  readonly ArtifactType: string;
  readonly Results: readonly {
    readonly Target: string;
    readonly Type: string;
    readonly Vulnerabilities?: readonly { readonly VulnerabilityID: string; readonly PkgName: string }[];
    readonly Secrets?: readonly { readonly RuleID: string }[];
  }[];
}

function found(json: string): readonly string[] {
  const { Results } = JSON.parse(json) as Report;
  return Results.flatMap(({ Target, Type, Vulnerabilities = [], Secrets = [] }) => [
    ...Vulnerabilities.map(
      ({ VulnerabilityID, PkgName }) => `${Type} ${Target}: ${PkgName} ${VulnerabilityID}`,
    ),
    ...Secrets.map(({ RuleID }) => `${Target}: ${RuleID}`),
  ]);
}

const ROOT: LayerFiles = {
  'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status': dpkg('zlib1g', '1', 'zlib'),
  'app/node_modules/lodash/package.json': npm('lodash', '4.17.15'),
  'usr/local/bin/tool': goProgram('go1.22.3', ['dep\tgolang.org/x/net\tv0.10.0\th1:x=']),
  'srv/package-lock.json': JSON.stringify({ packages: { 'node_modules/lodash': { version: '4.17.15' } } }),
};

describe('trivy rootfs', () => {
  it('finds what is installed, Go programs too, and not what lock files ask for', async () => {
    await put(ROOT);
    const { code, out } = await trivy('rootfs -f json --exit-code 3 .');
    expect(code).toBe(3);
    expect(found(out)).toEqual([
      'debian . (debian 12): zlib1g CVE-2024-0002',
      'gobinary usr/local/bin/tool: golang.org/x/net CVE-2024-0004',
      'gobinary usr/local/bin/tool: stdlib CVE-2024-0003',
      'node-pkg Node.js: lodash CVE-2024-0001',
    ]);
    expect(JSON.parse(out).ArtifactType).toBe('filesystem');
  });

  it('is no pass for a folder with nothing it knows', async () => {
    await put({ 'a.txt': 'x' });
    expect(await trivy('rootfs .')).toMatchObject({ code: 77, out: expect.stringContaining('NOT CHECKED') });
  });
});

describe('trivy fs', () => {
  const lock = (dev: boolean) =>
    JSON.stringify({ packages: { 'node_modules/lodash': { version: '4.17.15', dev } } });

  it('goes by lock files, one result for each', async () => {
    await put({
      ...ROOT,
      'api/requirements.txt': 'requests==2.19.0\n',
      'api/go.mod': 'module x.org/x\nrequire golang.org/x/net v0.10.0\n',
    });
    const { out } = await trivy('filesystem -f json --pkg-types library .');
    expect(found(out)).toEqual([
      'gomod api/go.mod: golang.org/x/net CVE-2024-0004',
      'npm srv/package-lock.json: lodash CVE-2024-0001',
      'pip api/requirements.txt: requests CVE-2024-0005',
    ]);
  });

  it('counts what is only for development when asked', async () => {
    await put({ 'package-lock.json': lock(true), 'requirements.txt': 'x==1\n' });
    expect(found((await trivy('fs -f json .')).out)).toEqual([]);
    expect(found((await trivy('fs -f json --include-dev-deps .')).out)).toHaveLength(1);
  });

  it('finds secrets, and leaves out what it is told to', async () => {
    await put({
      'package-lock.json': lock(false),
      'app/.env': `T=glpat-${'x1'.repeat(10)}\n`,
      '.git/x': `glpat-${'x1'.repeat(10)}`,
    });
    expect(found((await trivy('fs -f json .')).out)).toEqual([
      'npm package-lock.json: lodash CVE-2024-0001',
      'app/.env: gitlab-pat',
    ]);
    expect((await trivy('fs .')).out).toContain('line 1: ');
    expect(found((await trivy('fs -f json --skip-dirs app --skip-files *.json .')).out)).toEqual([]);
  });

  it('needs a folder', async () => {
    expect(await trivy('fs nowhere')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no folder nowhere'),
    });
    expect(await trivy('fs')).toMatchObject({ code: 1, err: expect.stringContaining('no folder is named') });
  });
});

describe('trivy sbom', () => {
  const layers = [DEBIAN_12, ROOT];
  const findings = async (text: string) => {
    const { out } = await trivy('sbom -f json b.json', { files: { 'b.json': text } });
    return found(out).map((line) => line.split(': ')[1]);
  };

  it.each(['cyclonedx', 'spdx-json'])('finds in a %s of an image what is in the image', async (format) => {
    const bill = await trivy(`image -f ${format} tiny:1`, { layers });
    const direct = found((await trivy('image -f json tiny:1', { layers })).out).map(
      (line) => line.split(': ')[1],
    );
    expect(direct).toHaveLength(4);
    expect(new Set(await findings(bill.out))).toEqual(new Set(direct));
  });

  it('says what it does not know', async () => {
    const components = [
      { purl: 'pkg:maven/org.x/y@1' },
      { purl: 'pkg:npm/lodash@4.17.15' },
      { name: 'no purl' },
    ];
    const text = JSON.stringify({ bomFormat: 'CycloneDX', components });
    const { code, out } = await trivy('sbom b.json', { files: { 'b.json': text } });
    expect([code, out]).toEqual([
      77,
      expect.stringContaining('1 components are of kinds this scan does not know'),
    ]);
  });

  it.each([
    ['{', 'no bill of materials'],
    ['{}', 'neither CycloneDX nor SPDX'],
  ])('%s is an error', async (text, message) => {
    expect(await trivy('sbom b.json', { files: { 'b.json': text } })).toMatchObject({
      code: 1,
      err: expect.stringContaining(message),
    });
    expect((await trivy('sbom gone.json')).err).toContain('there is no file gone.json');
  });
});

it('a program that replaces a Go program takes its modules away', async () => {
  const layers = [ROOT, { 'usr/local/bin/tool': Buffer.from('#!/bin/sh\n') }];
  expect(found((await trivy('image -f json --pkg-types library tiny:1', { layers })).out)).toEqual([
    'node-pkg Node.js: lodash CVE-2024-0001',
  ]);
});
