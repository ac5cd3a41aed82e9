import type { Acceptance, Acceptances } from './acceptance.ts';
import { readIgnoreFile } from './ignore-file.ts';
import type { ScanOptions } from './options.ts';
import type { TrivyIo } from './trivy-io.ts';
import { parseVex } from './vex.ts';
import type { VexSubject } from './vex.ts';

/**
 * What ignore files and VEX documents accept. A file that was named and cannot be used is a problem: whoever named it must
 * not be told that it accepts nothing. A line that is not understood is only said.
 */
export async function readAcceptances(
  subject: VexSubject,
  { ignoreFile, vex }: ScanOptions,
  io: TrivyIo,
): Promise<Acceptances> {
  const ignored = await fromIgnoreFile(ignoreFile, io);
  const documents: Acceptances[] = [];
  for (const file of vex) documents.push(await fromVex(file, subject, io));
  const all = [ignored, ...documents];
  return {
    entries: all.flatMap(({ entries }) => entries),
    problems: all.flatMap(({ problems }) => problems),
  };
}

const DEFAULT_FILE = '.trivyignore';

async function fromIgnoreFile(named: string | undefined, io: TrivyIo): Promise<Acceptances> {
  const file = named ?? DEFAULT_FILE;
  const text = await io.readFile(file);
  if (text === undefined)
    return { entries: [], problems: named === undefined ? [] : [`there is no ignore file ${file}`] };
  return { entries: understood(readIgnoreFile(text, file), file, io), problems: [] };
}

function understood({ entries, problems }: Acceptances, file: string, io: TrivyIo): readonly Acceptance[] {
  for (const problem of problems) io.stderr(`trivy: warning: ${file}: ${problem}\n`);
  return entries;
}

async function fromVex(file: string, subject: VexSubject, io: TrivyIo): Promise<Acceptances> {
  const text = await io.readFile(file);
  if (text === undefined) return { entries: [], problems: [`there is no VEX document ${file}`] };
  return parseVex(text, file, subject);
}
