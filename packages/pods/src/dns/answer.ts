import dnsPacket from 'dns-packet';
import type { Answer, DecodedPacket, Question } from 'dns-packet';
import type { DnsAnswer, DnsZone } from '../types.ts';

const ZONE_TYPES = ['A', 'AAAA', 'SRV', 'PTR', 'TXT'] as const;
type ZoneType = (typeof ZONE_TYPES)[number];

/** What every client can receive by UDP (RFC 1035). */
const PLAIN_UDP_BYTES = 512;

export type Verdict = readonly DnsAnswer[] | 'NXDOMAIN' | undefined;

/** Asks the zones in order; undefined: none of them is responsible. */
export function askZones(zones: Iterable<DnsZone>, question: Question): Verdict {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  for (const zone of zones) {
    const verdict = zone.lookup(name, zoneType(question.type));
    if (verdict === undefined || verdict === 'NXDOMAIN') {
      if (verdict) return verdict;
      continue;
    }
    return verdict.filter((answer) => answer.type === question.type || question.type === ('ANY' as string));
  }
  return undefined;
}

/** A type zones do not know is asked as A, to learn whether the name is theirs; its records are then left out. */
function zoneType(type: string): ZoneType {
  return ZONE_TYPES.find((known) => known === type) ?? 'A';
}

/** The reply to `query` from a zone, as bytes for a client that takes at most `maxBytes`. */
export function encodeVerdict(
  query: DecodedPacket,
  verdict: readonly DnsAnswer[] | 'NXDOMAIN',
  maxBytes: number,
): Buffer {
  const name = query.questions?.[0]?.name ?? '';
  const answers = verdict === 'NXDOMAIN' ? [] : verdict.map((answer) => toRecord(name, answer));
  const code = verdict === 'NXDOMAIN' ? RESPONSE_CODES.NXDOMAIN : RESPONSE_CODES.NOERROR;
  const whole = encodeReply(query, answers, code | dnsPacket.AUTHORITATIVE_ANSWER);
  if (whole.length <= maxBytes) return whole;
  return encodeReply(query, [], code | dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.TRUNCATED_RESPONSE);
}

const RESPONSE_CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 } as const;

/** The reply when nobody could be asked. */
export function encodeFailure(query: DecodedPacket): Buffer {
  return encodeReply(query, [], RESPONSE_CODES.SERVFAIL);
}

function encodeReply(query: DecodedPacket, answers: Answer[], flags: number): Buffer {
  const echoed = (query.flags ?? 0) & dnsPacket.RECURSION_DESIRED;
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: flags | echoed | dnsPacket.RECURSION_AVAILABLE,
    questions: query.questions ?? [],
    answers,
  });
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

/** How much a UDP client takes: more than the old limit only if it said so (EDNS). */
export function udpLimit(query: DecodedPacket): number {
  const announced = query.additionals?.find((record) => record.type === 'OPT');
  const size = announced && 'udpPayloadSize' in announced ? announced.udpPayloadSize : PLAIN_UDP_BYTES;
  return Math.max(PLAIN_UDP_BYTES, size);
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
