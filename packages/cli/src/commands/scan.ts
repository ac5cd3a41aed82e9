import path from 'node:path';
import { EXIT, UsageError } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';

/** Options handed to the scan as they are. */
const PASSED = [
  { name: 'severity', short: 's', value: 'LIST', help: 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL (default: all)' },
  { name: 'exit-code', value: 'N', help: 'exit with N when something is found (default: 0)' },
  { name: 'exit-on-eol', value: 'N', help: 'exit with N when the distribution gets no more fixes' },
  {
    name: 'format',
    short: 'f',
    value: 'FORMAT',
    help: 'table (default), json, sarif, cyclonedx, spdx-json, gitlab, template',
  },
  { name: 'template', short: 't', value: 'NAME', help: 'with --format template: @contrib/gitlab.tpl' },
  { name: 'output', short: 'o', value: 'FILE', help: 'write the report there' },
  { name: 'ignorefile', value: 'FILE', help: 'ids that are accepted (default: .trivyignore)' },
  { name: 'vex', value: 'FILE', help: 'a VEX document: what it says does not matter is accepted' },
  { name: 'ignore-status', value: 'LIST', help: 'will_not_fix, fix_deferred, affected, …' },
  { name: 'scanners', value: 'LIST', help: 'vuln,secret (default: both)' },
  { name: 'pkg-types', value: 'LIST', help: 'os,library (default: both)' },
  { name: 'skip-dirs', value: 'LIST', help: 'leave folders out' },
  { name: 'skip-files', value: 'LIST', help: 'leave files out' },
  { name: 'timeout', value: 'TIME', help: 'give up after this long (default: 5m0s)' },
] as const;

const SWITCHES = [
  { name: 'ignore-unfixed', help: 'leave out what has no fixed version' },
  { name: 'list-all-pkgs', help: 'list what has no finding too (json)' },
  { name: 'include-dev-deps', help: 'count what lock files mark as only for development' },
  { name: 'offline-scan', help: 'fetch no advisories' },
  { name: 'quiet', short: 'q', help: 'print the report and what could not be checked' },
] as const;

/** What else than an image can be scanned. */
const SUBJECTS = [
  { name: 'fs', value: 'FOLDER', help: 'scan a project: its lock files' },
  { name: 'rootfs', value: 'FOLDER', help: 'scan a root file system: what is installed in it' },
  { name: 'sbom', value: 'FILE', help: 'scan a bill of materials (CycloneDX or SPDX)' },
  { name: 'input', value: 'FILE', help: 'scan the image in an archive or an OCI layout' },
] as const;

export const scan: Command = {
  name: 'scan',
  summary: 'Look for known vulnerabilities in an image, a project or a bill of materials',
  usage: 'scan IMAGE [--severity LIST] [--exit-code N] [--format FORMAT]',
  options: [
    ...PASSED,
    ...SWITCHES,
    ...SUBJECTS,
    { name: 'json', help: 'the same as --format json' },
    {
      name: 'db',
      value: 'PLACE',
      help: 'folder, file or URL of OSV records, or osv (default: UPDRAFT_ADVISORIES, else what osv.dev exports)',
    },
  ],
  details: 'Exit code 77: there is no advisory data, or it is too old; what could not be checked is said.',
  async run(context) {
    const client = connect(context.env, context.output);
    const db = context.text('db') ?? context.env['UPDRAFT_ADVISORIES'];
    const events = client.stream(
      'POST /v1/scan',
      {
        argv: [...subject(context), ...flags(context)],
        cwd: context.cwd,
        ...(db === undefined ? {} : { advisories: placeOf(db, context.cwd) }),
      },
      { signal: context.signal },
    );
    for await (const event of events) {
      if (event.type === 'exit') return event.code;
      if (event.stream === 'stdout') process.stdout.write(event.text);
      else process.stderr.write(event.text);
    }
    return EXIT.failed;
  },
};

/** One thing to scan, in the words of the scan's own command line. */
function subject(context: Context): readonly string[] {
  const named = SUBJECTS.flatMap(({ name }) => {
    const value = context.text(name);
    return value === undefined ? [] : [name === 'input' ? ['image', `--input=${value}`] : [name, value]];
  });
  const all = [...named, ...context.words.map((image) => ['image', image])];
  const [first] = all;
  if (first === undefined)
    throw new UsageError('updraft scan needs an image', 'For example: updraft scan node:24');
  if (all.length > 1)
    throw new UsageError('updraft scan looks at one thing at a time', 'Call it once for each.');
  return first;
}

function flags(context: Context): readonly string[] {
  const passed = PASSED.flatMap(({ name }) => {
    const value = context.text(name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  const switches = SWITCHES.flatMap(({ name }) => (context.flag(name) ? [`--${name}`] : []));
  return [...passed, ...switches, ...(context.flag('json') ? ['--format=json'] : [])];
}

/** A path becomes absolute, as the daemon stands elsewhere; a URL and `osv` stay. */
function placeOf(db: string, cwd: string): string {
  return db === 'osv' || /^https?:\/\//.test(db) ? db : path.resolve(cwd, db);
}
