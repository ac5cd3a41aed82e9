import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@updraft/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdvisoryFault } from './advisories/fault.ts';
import { advisoriesFrom } from './testing/advisories-from.ts';
import { trivyCommand } from './command.ts';
import type { TrivyIo } from './trivy-io.ts';
import { DEBIAN_12, dpkg, npm, tinyImage } from './testing/tiny-image.ts';
import type { LayerFiles } from './testing/tiny-image.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

const affected = (ecosystem: string, name: string, ...events: readonly object[]) => [
  { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, ...events] }] },
];

const RECORDS = [
  {
    id: 'DEBIAN-CVE-2024-1000',
    summary: 'A hole in zlib',
    affected: affected('Debian:12', 'zlib'),
    database_specific: { severity: 'CRITICAL', status: 'will_not_fix' },
  },
  {
    id: 'DEBIAN-CVE-2024-1001',
    affected: affected('Debian:12', 'zlib', { fixed: '2' }),
    database_specific: { severity: 'LOW' },
  },
  {
    id: 'GHSA-aaaa',
    aliases: ['CVE-2024-2000'],
    affected: affected('npm', 'lodash', { fixed: '4.17.21' }),
    database_specific: { severity: 'HIGH' },
  },
];

const DEBIAN: LayerFiles = {
  ...DEBIAN_12,
  'var/lib/dpkg/status': dpkg('zlib1g', '1', 'zlib') + dpkg('clean', '1'),
};
const NODE: LayerFiles = { 'app/node_modules/lodash/package.json': npm('lodash', '4.17.15') };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gates-trivy-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Setup {
  readonly layers?: readonly LayerFiles[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly io?: Partial<TrivyIo>;
}

async function trivy(argv: string, { layers = [DEBIAN, NODE], files = {}, env = {}, io = {} }: Setup = {}) {
  const image = await tinyImage(folder, layers);
  const written: Record<string, string> = {};
  let out = '';
  let err = '';
  const code = await trivyCommand(argv.split(' ').filter(Boolean), {
    image: async (reference) => (reference === 'tiny:1' ? image : 'notFound'),
    advisories: async () => advisoriesFrom(RECORDS, NOW),
    readFile: async (file) => files[file],
    writeFile: async (file, text) => void (written[file] = text),
    stdin: async () => 'secret\n',
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
    env,
    clock: { ...systemClock, now: () => NOW },
    ...io,
  });
  return { code, out, err, written };
}

const withIgnoreFile = (line: string) =>
  trivy('image --exit-code 1 --severity CRITICAL tiny:1', { files: { '.trivyignore': line } });

const parsed = async (argv: string) => JSON.parse((await trivy(`image ${argv} tiny:1`)).out);

describe('trivy image', () => {
  it('reports and exits 0, or with --exit-code', async () => {
    const report = await trivy('image --no-progress tiny:1');
    expect(report.code).toBe(0);
    expect(report.out).toMatchSnapshot();
    expect((await trivy('image --exit-code 1 tiny:1')).code).toBe(1);
    expect((await trivy('image --exit-code 5 --severity CRITICAL tiny:1')).code).toBe(5);
    expect((await trivy('image --exit-code 5 --severity MEDIUM tiny:1')).code).toBe(0);
    expect((await trivy('image --exit-code 5 --severity CRITICAL --ignore-unfixed tiny:1')).code).toBe(0);
    expect(
      (await trivy('image --exit-code 5 --severity CRITICAL --ignore-status will_not_fix tiny:1')).code,
    ).toBe(0);
    expect((await trivy('image --exit-code 5 --severity CRITICAL --pkg-types library tiny:1')).code).toBe(0);
    expect((await trivy('image --exit-code 5 --severity HIGH --vuln-type os tiny:1')).code).toBe(0);
  });

  it('heeds .trivyignore until the day in it, and names what it accepted', async () => {
    const accepted = await withIgnoreFile('# zlib: minizip is not built\nCVE-2024-1000 exp:2026-11-22\n');
    expect(accepted.code).toBe(0);
    expect(accepted.out).toContain(
      'Accepted by .trivyignore until 2026-11-22: CVE-2024-1000 (1): zlib: minizip is not built',
    );
    expect((await withIgnoreFile('CVE-2024-1000 exp:2026-11-21')).code).toBe(1);
    expect((await withIgnoreFile('CVE-2024-1000')).code).toBe(0);
    expect((await withIgnoreFile('DEBIAN-CVE-2024-1000')).code).toBe(0);
    const odd = await withIgnoreFile('CVE-2024-1000 exp:tomorrow');
    expect(odd.code).toBe(1);
    expect(odd.err).toContain('.trivyignore: line 1');
  });

  it.each([
    ['there are no advisories', { advisories: async () => undefined }],
    ['none of this kind', { advisories: async () => advisoriesFrom(RECORDS.slice(2), NOW) }],
  ])('never passes what it could not check: %s', async (_, io) => {
    const { code, out, err } = await trivy('image --exit-code 1 --severity CRITICAL tiny:1', {
      io,
      layers: [DEBIAN],
    });
    expect(code).toBe(77);
    expect(out + err).toContain('NOT CHECKED: 2 dpkg packages');
    expect(out).not.toMatch(/ 0 /);
  });

  it('says what it could not check in every format', async () => {
    const io = { advisories: async () => undefined };
    for (const format of ['json', 'sarif', 'cyclonedx', 'template --template @contrib/gitlab.tpl']) {
      const { code, err } = await trivy(`image -f ${format} tiny:1`, { io });
      expect([code, err.match(/NOT CHECKED: \d+ \w+ packages/g)]).toEqual([
        77,
        ['NOT CHECKED: 2 dpkg packages', 'NOT CHECKED: 1 npm packages'],
      ]);
    }
  });

  it('does not pass an image without packages it knows, nor with old advisories', async () => {
    expect(await trivy('image tiny:1', { layers: [{ 'bin/tool': 'ELF' }] })).toMatchObject({ code: 77 });
    const fedora = await trivy('image tiny:1', {
      layers: [{ 'etc/os-release': 'ID=fedora\nVERSION_ID=40\n' }, NODE],
    });
    expect(fedora.code).toBe(77);
    expect(fedora.out).toContain('the packages of fedora 40 are not known');
    const old = await trivy('image tiny:1', {
      io: { advisories: async () => advisoriesFrom(RECORDS, NOW - 31 * 86_400_000) },
    });
    expect([old.code, old.err.includes('too old')]).toEqual([77, true]);
    expect(await trivy('image --exit-code 3 tiny:1', { io: { maxAdvisoryAgeMs: 1 } })).toMatchObject({
      code: 3,
    });
  });

  it('fails for a release that gets no more fixes, when asked', async () => {
    const layers = [
      { ...DEBIAN, 'etc/debian_version': '10.13', 'usr/lib/os-release': 'ID=debian\nVERSION_ID="10"' },
    ];
    expect((await trivy('image --exit-on-eol 9 tiny:1', { layers })).code).toBe(9);
  });

  it.each([
    ['image', 'no image is named'],
    ['image a b', 'one image at a time'],
    ['image gone:1', 'there is no image gone:1'],
    ['image --severty HIGH tiny:1', 'unknown option --severty (did you mean --severity?)'],
    ['image --table-mode summary tiny:1', "--table-mode is Trivy's, but this scan does not support it"],
    ['image --severity BAD tiny:1', 'not BAD'],
    ['image --exit-code many tiny:1', 'not many'],
    ['image --format xml tiny:1', 'not xml'],
    ['image --format template --template @contrib/html.tpl tiny:1', 'not @contrib/html.tpl'],
    ['image --scanners vuln,misconfig tiny:1', 'misconfig is not supported'],
    ['image --input x.tar', '--input is not supported here'],
    ['image --timeout soon tiny:1', 'not soon'],
    ['image --ignorefile nothere tiny:1', 'there is no ignore file nothere'],
    ['fs .', 'trivy fs is not supported'],
    ['imgae tiny:1', 'did you mean image?'],
  ])('%s is an error that says so, even under --exit-code 0', async (argv, message) => {
    const { code, err } = await trivy(
      `${argv} --exit-code 0`.replace(/--exit-code many.*$/, '--exit-code many tiny:1'),
    );
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
  });

  it('takes TRIVY_… where a flag is silent', async () => {
    const env = {
      TRIVY_EXIT_CODE: '4',
      TRIVY_SEVERITY: 'HIGH,CRITICAL',
      TRIVY_FORMAT: 'json',
      TRIVY_PLATFORM: 'x',
    };
    const { code, out, err } = await trivy('image tiny:1', { env });
    expect(code).toBe(4);
    expect(JSON.parse(out).Results[0].Vulnerabilities).toHaveLength(1);
    expect(err).toContain('TRIVY_PLATFORM is set, but this scan does not support it');
    expect((await trivy('image --exit-code 6 tiny:1', { env })).code).toBe(6);
  });

  it('writes the report where --output says', async () => {
    const { out, written } = await trivy('image -f json -o report.json tiny:1');
    expect(out).toBe('');
    expect(JSON.parse(written['report.json'] ?? '').ArtifactName).toBe('tiny:1');
  });

  it('heeds what a VEX document says, and stops at one it cannot use', async () => {
    const statement = {
      vulnerability: 'CVE-2024-1000',
      products: ['pkg:deb/debian/zlib1g'],
      status: 'not_affected',
    };
    const vex = JSON.stringify({ '@context': 'https://openvex.dev/ns', statements: [statement] });
    const argv = 'image --exit-code 1 --severity CRITICAL --vex v.json tiny:1';
    const accepted = await trivy(argv, { files: { 'v.json': vex } });
    expect([accepted.code, accepted.out]).toEqual([
      0,
      expect.stringContaining('Accepted by v.json: CVE-2024-1000 (1)'),
    ]);
    expect(await trivy(argv)).toMatchObject({ code: 1, err: expect.stringContaining('no VEX document') });
    expect(await trivy(argv, { files: { 'v.json': '{}' } })).toMatchObject({
      code: 1,
      err: expect.stringContaining('neither'),
    });
  });

  it('asks for the advisories of what it found, where the user says', async () => {
    const asked: unknown[] = [];
    const advisories: TrivyIo['advisories'] = async ({ onLog, ...request }) => {
      asked.push(request);
      onLog('fetching');
      return advisoriesFrom(RECORDS, NOW);
    };
    const { err } = await trivy('image --db /a --offline-scan --severity LOW tiny:1', { io: { advisories } });
    expect(asked).toEqual([{ ecosystems: ['Debian:12', 'npm'], location: '/a', isOffline: true }]);
    expect(err).toContain('trivy: fetching');
  });

  it('without a database says so and what to do, and is no pass', async () => {
    const missing = new AdvisoryFault('ADVISORIES_NOT_FETCHED', 'no network', { next: 'Give a folder.' });
    const { code, out, err } = await trivy('image tiny:1', {
      io: { advisories: () => Promise.reject(missing) },
    });
    expect([code, err]).toEqual([77, expect.stringContaining('no network. Give a folder.')]);
    expect(out).toContain('NOT CHECKED: 2 dpkg packages');
    const broken = new AdvisoryFault('ADVISORIES_INVALID', 'broken');
    expect(await trivy('image tiny:1', { io: { advisories: () => Promise.reject(broken) } })).toMatchObject({
      code: 1,
    });
  });

  it('leaves out what --skip-dirs and --skip-files name', async () => {
    const argv = 'image --exit-code 1 --severity HIGH';
    expect((await trivy(`${argv} --skip-dirs app tiny:1`)).code).toBe(0);
    expect((await trivy(`${argv} --skip-files **/package.json tiny:1`)).code).toBe(0);
    expect((await trivy(`${argv} --skip-dirs opt tiny:1`)).code).toBe(1);
  });

  it('stops when the time is over', async () => {
    const io = { image: () => new Promise<never>(() => {}) };
    expect(await trivy('image --timeout 0.05s tiny:1', { io })).toMatchObject({
      code: 1,
      err: expect.stringContaining('--timeout'),
    });
  });

  it('says when vulnerabilities were not looked for', async () => {
    const { code, err } = await trivy('image --scanners secret --exit-code 1 tiny:1', {
      io: { advisories: async () => undefined },
    });
    expect([code, err.includes('NOT CHECKED: vulnerabilities')]).toEqual([0, true]);
  });
});

describe('secrets', () => {
  const token = `glpat-${'x1'.repeat(10)}`;
  const layers = [NODE, { 'app/.env': `A=1\nTOKEN=${token}\n` }, { 'app/.wh..env': '' }];

  it('count as findings, also when a later layer deletes them, and are never shown', async () => {
    const { code, out } = await trivy('image --severity CRITICAL --exit-code 1 tiny:1', { layers });
    expect(code).toBe(1);
    expect(out).toContain('/app/.env (secrets)');
    expect(out).toContain('line 2');
    expect(out).toContain('TOKEN=****');
    for (const format of ['table', 'json', 'sarif', 'cyclonedx', 'template -t @contrib/gitlab.tpl']) {
      const report = await trivy(`image -f ${format} tiny:1`, { layers });
      expect(report.out + report.err).not.toContain(token.slice(6));
      expect(report.out + report.err).toContain('gitlab-pat');
    }
  });

  it('are left alone in the base image, by --scanners, --severity and the ignore file', async () => {
    const options = 'image --exit-code 1 --severity CRITICAL';
    expect((await trivy(`${options} --scanners vuln tiny:1`, { layers })).code).toBe(0);
    expect((await trivy('image --exit-code 1 --severity LOW tiny:1', { layers })).code).toBe(0);
    expect((await trivy(`${options} tiny:1`, { layers, files: { '.trivyignore': 'gitlab-pat' } })).code).toBe(
      0,
    );
    const image = await tinyImage(folder, [layers[1] ?? {}, NODE]);
    const history = [
      { created_by: 'ADD' },
      { created_by: 'CMD ["sh"]', empty_layer: true },
      { created_by: 'COPY' },
    ];
    const io = { image: async () => ({ ...image, config: { ...image.config, history } }) };
    expect((await trivy(`${options} tiny:1`, { io })).code).toBe(0);
  });
});

describe('formats', () => {
  it('json', async () => {
    const report = await parsed('-f json');
    expect(report).toMatchObject({
      SchemaVersion: 2,
      ArtifactType: 'container_image',
      Metadata: { OS: { Family: 'debian', Name: '12.15' }, RepoTags: ['tiny:1'] },
    });
    expect(report.Results.map((result: { Target: string }) => result.Target)).toEqual([
      'tiny:1 (debian 12.15)',
      'Node.js',
    ]);
    expect(report.Results[1].Vulnerabilities).toEqual([
      expect.objectContaining({
        VulnerabilityID: 'CVE-2024-2000',
        VendorIDs: ['GHSA-aaaa'],
        PkgName: 'lodash',
        PkgPath: 'app/node_modules/lodash/package.json',
        PkgIdentifier: { PURL: 'pkg:npm/lodash@4.17.15' },
        InstalledVersion: '4.17.15',
        FixedVersion: '4.17.21',
        Status: 'fixed',
        Severity: 'HIGH',
        Layer: { DiffID: report.Metadata.DiffIDs[1] },
      }),
    ]);
    expect(report.Results[0].Packages).toBeUndefined();
    expect((await parsed('-f json --list-all-pkgs')).Results[0].Packages).toHaveLength(2);
  });

  it('sarif', async () => {
    const [run] = (await parsed('-f sarif')).runs;
    expect(run.tool.driver.rules.map((rule: { id: string }) => rule.id)).toEqual([
      'CVE-2024-1000',
      'CVE-2024-1001',
      'CVE-2024-2000',
    ]);
    expect(run.results[0]).toMatchObject({ ruleId: 'CVE-2024-1000', ruleIndex: 0, level: 'error' });
  });

  it('GitLab’s container scanning report', async () => {
    const report = await parsed('-f template --template @contrib/gitlab.tpl');
    expect(report.scan).toMatchObject({ type: 'container_scanning', status: 'success' });
    expect(report.vulnerabilities[2]).toMatchObject({
      severity: 'High',
      solution: 'Upgrade lodash to 4.17.21',
      location: { dependency: { package: { name: 'lodash' }, version: '4.17.15' }, image: 'tiny:1' },
      identifiers: [{ type: 'cve', name: 'CVE-2024-2000' }],
    });
  });

  it('gitlab, the same by a name', async () => {
    const [byTemplate, byName] = [
      await parsed('-f template -t @contrib/gitlab.tpl'),
      await parsed('-f gitlab'),
    ];
    expect(byName).toEqual(byTemplate);
  });

  it('spdx-json', async () => {
    const document = await parsed('-f spdx-json');
    expect(document).toMatchObject({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT' });
    const [, , zlib] = document.packages;
    expect(zlib).toMatchObject({
      name: 'zlib1g',
      versionInfo: '1',
      sourceInfo: 'built package from: zlib 1',
    });
    const ids = document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID);
    expect(new Set(ids).size).toBe(4);
    for (const { relatedSpdxElement } of document.relationships) expect(ids).toContain(relatedSpdxElement);
  });

  it('cyclonedx', async () => {
    const bom = await parsed('-f cyclonedx');
    const [system, ...components] = bom.components;
    expect(system).toMatchObject({ type: 'operating-system', name: 'debian', version: '12.15' });
    expect(components.map((component: { purl: string }) => component.purl)).toEqual([
      'pkg:deb/debian/clean@1?arch=amd64&distro=debian-12.15',
      'pkg:deb/debian/zlib1g@1?arch=amd64&distro=debian-12.15',
      'pkg:npm/lodash@4.17.15',
    ]);
    expect(bom.vulnerabilities[0]).toMatchObject({
      id: 'CVE-2024-1000',
      ratings: [{ severity: 'critical' }],
    });
  });
});

describe('trivy', () => {
  it('knows its version and its help', async () => {
    expect((await trivy('--version')).out).toMatch(/^Version: 0\.60\.0/);
    expect((await trivy('version')).code).toBe(0);
    expect((await trivy('--help')).out).toContain('Usage:');
    expect((await trivy('image --help')).out).toContain('Usage:');
    expect((await trivy('--cache-dir image --quiet image tiny:1')).code).toBe(0);
  });

  it('logs in with a password from standard input', async () => {
    const seen: unknown[] = [];
    const io: Partial<TrivyIo> = { login: async (...all) => void seen.push(all) };
    expect((await trivy('registry login --username me --password-stdin r.example', { io })).code).toBe(0);
    expect(seen).toEqual([['r.example', { username: 'me', password: 'secret' }]]);
    expect((await trivy('registry login r.example', { io })).code).toBe(1);
    expect((await trivy('registry list', { io })).code).toBe(1);
  });
});
