import dnsPacket from 'dns-packet';
import type { Answer, Question } from 'dns-packet';
import type { DnsZone } from '../types.ts';
import { askZones, plainName, toRecords } from './answer.ts';
import type { Finding } from './answer.ts';

/** A chain of names that is longer leads nowhere. */
const LONGEST_CHAIN = 8;

export interface ResolveOptions {
  readonly zones: Iterable<DnsZone>;
  /** Asks elsewhere. */
  readonly ask: (query: Buffer) => Promise<Buffer | undefined>;
}

/** The answer of the zones, with what their names lead to; undefined: the name is none of theirs. */
export async function resolve(question: Question, options: ResolveOptions): Promise<Finding | undefined> {
  const { zones } = options;
  const records: Answer[] = [];
  let { name } = question;
  for (let length = 0; length < LONGEST_CHAIN; length += 1) {
    const verdict = askZones(zones, { name, type: question.type });
    if (verdict === undefined) {
      if (records.length === 0) return undefined;
      const found = await askElsewhere({ ...question, name }, options);
      return { code: found ? 'NOERROR' : 'SERVFAIL', answers: found ? [...records, ...found] : [] };
    }
    if (verdict === 'NXDOMAIN') return { code: 'NXDOMAIN', answers: records, apex: apexOf(zones, name) };
    records.push(...toRecords(name, verdict));
    const alias = verdict.find(({ type }) => type === 'CNAME');
    if (!alias || question.type === 'CNAME') {
      return { code: 'NOERROR', answers: records, apex: apexOf(zones, name) };
    }
    name = alias.data;
  }
  return { code: 'SERVFAIL', answers: [] };
}

function apexOf(zones: Iterable<DnsZone>, name: string): string | undefined {
  const asked = plainName(name);
  for (const { apex } of zones) if (apex !== undefined && `.${asked}`.endsWith(`.${apex}`)) return apex;
  return undefined;
}

/** The records that others have for a name; undefined: nobody could be asked. */
async function askElsewhere(question: Question, { ask }: ResolveOptions): Promise<Answer[] | undefined> {
  const query = dnsPacket.encode({
    type: 'query',
    id: 1,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [question],
  });
  const reply = await ask(query);
  return reply && dnsPacket.decode(reply).answers;
}
