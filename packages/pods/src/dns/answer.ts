import dnsPacket from 'dns-packet';
import type { Answer, DecodedPacket, Question } from 'dns-packet';
import type { DnsAnswer, DnsZone } from '../types.ts';

const ZONE_TYPES = ['A', 'AAAA', 'SRV', 'PTR', 'TXT'] as const;
type ZoneType = (typeof ZONE_TYPES)[number];

/** What every client can receive by UDP (RFC 1035), and what is sent at most to one that takes more. */
const PLAIN_UDP_BYTES = 512;
const MOST_UDP_BYTES = 4096;
/** Clients ask again after so long for what was not there. */
const NEGATIVE_SECONDS = 5;

export type Verdict = readonly DnsAnswer[] | 'NXDOMAIN' | undefined;

/** Names are compared like this. */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Asks the zones in order; undefined: none of them is responsible. A CNAME answers every type. */
export function askZones(zones: Iterable<DnsZone>, { name, type }: Pick<Question, 'name' | 'type'>): Verdict {
  for (const zone of zones) {
    const verdict = zone.lookup(plainName(name), zoneType(type));
    if (verdict === undefined) continue;
    if (verdict === 'NXDOMAIN') return verdict;
    const wanted = (answer: DnsAnswer) =>
      answer.type === type || answer.type === 'CNAME' || type === ('ANY' as string);
    return verdict.filter(wanted);
  }
  return undefined;
}

/** A type zones do not know is asked as A, to learn whether the name is theirs; its records are then left out. */
function zoneType(type: string): ZoneType {
  return ZONE_TYPES.find((known) => known === type) ?? 'A';
}

const RESPONSE_CODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;
export type ResponseCode = keyof typeof RESPONSE_CODES;

/** A reply from the zones. */
export interface Finding {
  readonly code: ResponseCode;
  readonly answers: readonly Answer[];
  /** The zone that knows that there is nothing. */
  readonly apex?: string | undefined;
}

/** The reply to `query` as bytes for a client that takes at most `maxBytes`. */
export function encodeFinding(query: DecodedPacket, finding: Finding, maxBytes: number): Buffer {
  const { code, answers, apex } = finding;
  const flags = RESPONSE_CODES[code] | dnsPacket.AUTHORITATIVE_ANSWER;
  const nothing = answers.length === 0 && apex !== undefined;
  const whole = encodeReply(query, { answers, flags, authorities: nothing ? [startOf(apex)] : [] });
  if (whole.length <= maxBytes) return whole;
  return encodeReply(query, { answers: [], flags: flags | dnsPacket.TRUNCATED_RESPONSE, authorities: [] });
}

/** The zone's SOA, which says how long its having nothing may be remembered. */
function startOf(apex: string): Answer {
  const data = {
    mname: `ns.dns.${apex}`,
    rname: `hostmaster.${apex}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: NEGATIVE_SECONDS,
  };
  return { type: 'SOA', name: apex, ttl: NEGATIVE_SECONDS, data };
}

/** The reply that has nothing but a code. */
export function encodeCode(query: DecodedPacket, code: ResponseCode): Buffer {
  return encodeReply(query, { answers: [], flags: RESPONSE_CODES[code], authorities: [] });
}

function encodeReply(
  query: DecodedPacket,
  parts: { answers: readonly Answer[]; flags: number; authorities: Answer[] },
): Buffer {
  const echoed = (query.flags ?? 0) & (dnsPacket.RECURSION_DESIRED | dnsPacket.CHECKING_DISABLED);
  const options = optionsOf(query);
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: parts.flags | echoed | dnsPacket.RECURSION_AVAILABLE,
    questions: (query.questions ?? []).filter(({ name }) => isEncodable(name)),
    answers: [...parts.answers],
    authorities: parts.authorities,
    // Who speaks of extensions is answered with them.
    additionals: options
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: MOST_UDP_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
}

/** A zone's answers as records of a name. */
export function toRecords(name: string, answers: readonly DnsAnswer[]): Answer[] {
  return answers.map((answer) => toRecord(name, answer));
}

function toRecord(name: string, answer: DnsAnswer): Answer {
  const base = { name, ttl: answer.ttlSeconds, class: 'IN' } as const;
  if (answer.type !== 'SRV') return { ...base, type: answer.type, data: answer.data };
  const [priority, weight, port, target = ''] = answer.data.split(' ');
  return {
    ...base,
    type: 'SRV',
    data: { priority: Number(priority), weight: Number(weight), port: Number(port), target },
  };
}

const optionsOf = ({ additionals }: DecodedPacket) => additionals?.find((record) => record.type === 'OPT');

/** How much a UDP client takes: more than the old limit only if it said so (EDNS). */
export function udpLimit(query: DecodedPacket): number {
  const announced = optionsOf(query);
  const size = announced && 'udpPayloadSize' in announced ? announced.udpPayloadSize : PLAIN_UDP_BYTES;
  return Math.min(MOST_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, size));
}

/** Reads a query with exactly one question; undefined for anything else, which deserves no reply. */
export function decodeQuery(bytes: Buffer): DecodedPacket | undefined {
  try {
    const packet = dnsPacket.decode(bytes);
    return packet.type === 'query' && packet.questions?.length === 1 ? packet : undefined;
  } catch {
    return undefined;
  }
}

/** A name that comes out of encoding as it went in: others cannot even be repeated in a reply. */
export function isEncodable(name: string): boolean {
  if (name === '' || name === '.') return true;
  if (name.length > 253 || !/^[\u0021-\u007e]+$/.test(name)) return false;
  return name
    .replace(/\.$/, '')
    .split('.')
    .every((label) => label.length > 0 && label.length <= 63);
}

export const isStandardQuery = ({ flags = 0 }: DecodedPacket): boolean => ((flags >> 11) & 0xf) === 0;
