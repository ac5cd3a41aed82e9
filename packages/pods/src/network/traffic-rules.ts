import { createHash } from 'node:crypto';
import { requirePort } from '../fault.ts';
import type { TrafficPeer, TrafficPorts, TrafficRule, TrafficRules } from '../types.ts';
import { requireAddress, requireRange } from './addresses.ts';
import { EMPTY_RULESET } from './ruleset.ts';
import type { Ruleset } from './ruleset.ts';

type Direction = 'incoming' | 'outgoing';

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 20);

/**
 * The rules that let through to pods, and out of them, what is allowed. Chains and sets are named after what is in them:
 * one that has changed is another one. @throws PodsFault UNSUPPORTED for what is no address, range or port
 */
export function trafficRules({ pods, lists }: TrafficRules): Ruleset {
  if (pods.length === 0) return EMPTY_RULESET;
  const sets = new Map<string, string>();
  const chains = new Map<string, readonly string[]>();
  const made = new Map<string, string>();
  const chainFor = (direction: Direction, list: string): string => {
    const known = made.get(`${direction} ${list}`);
    if (known !== undefined) return known;
    const rules = [...(lists[list] ?? []).flatMap((rule) => ruleTexts(direction, rule, sets)), 'jump refuse'];
    const name = `${direction}_${hash(rules.join('\n'))}`;
    chains.set(name, rules);
    made.set(`${direction} ${list}`, name);
    return name;
  };
  const entriesOf = (direction: Direction) =>
    new Map(
      pods.flatMap((pod) => {
        const list = pod[direction];
        if (list === undefined) return [];
        return [[requireAddress(pod.address), `jump ${chainFor(direction, list)}`] as const];
      }),
    );
  const elements = new Map([
    ['incoming', entriesOf('incoming')],
    ['outgoing', entriesOf('outgoing')],
  ]);
  return { sets, chains, elements };
}

function ruleTexts(direction: Direction, { peers, ports }: TrafficRule, sets: Map<string, string>): string[] {
  const matchPeers = peers?.flatMap((peer) => peerText(direction, peer, sets)) ?? [''];
  const matchPorts = ports?.map(portsText) ?? [''];
  // Back to where it was asked: the other direction may have something to say as well.
  return matchPeers.flatMap((peer) => matchPorts.map((port) => `${peer} ${port} return`.trim()));
}

function peerText(direction: Direction, peer: TrafficPeer, sets: Map<string, string>): string[] {
  const side = direction === 'incoming' ? 'saddr' : 'daddr';
  if ('addresses' in peer) {
    if (peer.addresses.length === 0) return [];
    const text = peer.addresses.map(requireAddress).toSorted().join(', ');
    const name = `p_${hash(text)}`;
    sets.set(name, `type ipv4_addr; elements = { ${text} };`);
    return [`ip ${side} @${name}`];
  }
  const except = (peer.except ?? []).map(requireRange);
  const others = except.length > 0 ? ` ip ${side} != { ${withoutOverlaps(except).join(', ')} }` : '';
  return [`ip ${side} ${requireRange(peer.range)}${others}`];
}

/** Anonymous sets of nft refuse ranges that lie in one another. */
function withoutOverlaps(ranges: readonly string[]): string[] {
  const sizes = ranges.map((range) => ({ range, bits: Number(range.split('/')[1]), base: numberOf(range) }));
  const kept = sizes.filter(
    (inner, index) =>
      !sizes.some(
        (outer, other) =>
          other !== index &&
          (outer.bits < inner.bits || (outer.bits === inner.bits && other < index)) &&
          Math.floor(inner.base / 2 ** (32 - outer.bits)) === Math.floor(outer.base / 2 ** (32 - outer.bits)),
      ),
  );
  return kept.map(({ range }) => range);
}

const numberOf = (range: string) =>
  (range.split('/')[0] ?? '').split('.').reduce((number, part) => number * 256 + Number(part), 0);

function portsText({ protocol, from, to }: TrafficPorts): string {
  if (from === undefined) return `meta l4proto ${protocol}`;
  const last = to === undefined ? '' : `-${requirePort(to)}`;
  return `${protocol} dport ${requirePort(from)}${last}`;
}
