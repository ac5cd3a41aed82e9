import path from 'node:path';
import { EXIT, UsageError } from '../command.ts';
import type { Command } from '../command.ts';
import { connect } from '../daemon/connect.ts';

export const scan: Command = {
  name: 'scan',
  summary: 'Look for known vulnerabilities in an image',
  usage: 'scan IMAGE [--severity LIST] [--exit-code N] [--format FORMAT]',
  options: [
    { name: 'severity', value: 'LIST', help: 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL (default: all)' },
    { name: 'exit-code', value: 'N', help: 'exit with N when something is found (default: 0)' },
    { name: 'format', value: 'FORMAT', help: 'table (default), json, sarif' },
    { name: 'ignore-unfixed', help: 'leave out what has no fixed version' },
    { name: 'ignorefile', value: 'FILE', help: 'ids that are accepted (default: .trivyignore)' },
    { name: 'db', value: 'PATH', help: 'folder or file of OSV records (default: UPDRAFT_ADVISORIES)' },
  ],
  details: 'Exit code 77: there is no advisory data, or it is too old; what could not be checked is said.',
  async run(context) {
    const [image] = context.words;
    if (image === undefined)
      throw new UsageError('updraft scan needs an image', 'For example: updraft scan node:24');
    const flags = ['severity', 'exit-code', 'format', 'ignorefile'].flatMap((name) => {
      const value = context.text(name);
      return value === undefined ? [] : [`--${name}`, value];
    });
    const db = context.text('db') ?? context.env['UPDRAFT_ADVISORIES'];
    const client = await connect(context.env, context.output);
    const events = client.stream(
      'POST /v1/scan',
      {
        argv: [...flags, ...(context.flag('ignore-unfixed') ? ['--ignore-unfixed'] : []), image],
        cwd: context.cwd,
        ...(db === undefined ? {} : { advisories: path.resolve(context.cwd, db) }),
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
