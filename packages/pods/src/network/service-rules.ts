import { requirePort } from '../fault.ts';
import type { ServiceForward } from '../types.ts';
import { requireAddress } from './addresses.ts';
import type { Ruleset } from './ruleset.ts';

type Target = ServiceForward['targets'][number];

/** How many clients' choices are remembered for one target. */
const AFFINITY_SIZE = 65_535;

/** The rules that lead Service addresses to their targets. @throws PodsFault UNSUPPORTED for what is no address or port */
export function serviceRules(services: readonly ServiceForward[]): Ruleset {
  const served = services.filter(({ targets }) => targets.length > 0);
  const sets = new Map<string, string>();
  const chains = new Map<string, readonly string[]>();
  const entries = new Map<string, string>();
  for (const service of served) {
    const name = nameOf(service);
    entries.set(`${service.address} . ${service.protocol} . ${service.port}`, `goto s_${name}`);
    if (service.affinitySeconds === undefined) chains.set(`s_${name}`, [spread(service)]);
    else addSticky(service, name, { sets, chains });
  }
  const targets = new Set(served.flatMap((one) => one.targets.map(({ address }) => requireAddress(address))));
  const hairpins = new Map([...targets].map((address) => [`${address} . ${address}`, '']));
  return {
    sets,
    chains,
    elements: new Map([
      ['services', entries],
      ['hairpins', hairpins],
    ]),
  };
}

const dashed = (address: string) => requireAddress(address).replaceAll('.', '_');

const nameOf = ({ address, protocol, port }: ServiceForward) =>
  `${dashed(address)}_${protocol}_${requirePort(port)}`;

function spread({ protocol, targets }: ServiceForward): string {
  const choices = targets.map(
    (target, index) => `${index} : ${requireAddress(target.address)} . ${requirePort(target.port)}`,
  );
  return `meta l4proto ${protocol} dnat to numgen random mod ${targets.length} map { ${choices.join(', ')} }`;
}

/** Each target remembers its clients; whoever none remembers is given one by chance. */
function addSticky(
  { protocol, targets, affinitySeconds = 0 }: ServiceForward,
  service: string,
  { sets, chains }: { sets: Map<string, string>; chains: Map<string, readonly string[]> },
): void {
  const seconds = Math.max(1, Math.min(86_400, Math.trunc(affinitySeconds)));
  // The time is part of the name: a set cannot change it.
  const placeOf = (target: Target) =>
    `${service}_${dashed(target.address)}_${requirePort(target.port)}_${seconds}`;
  for (const target of targets) {
    const place = placeOf(target);
    sets.set(
      `a_${place}`,
      `type ipv4_addr; size ${AFFINITY_SIZE}; flags dynamic,timeout; timeout ${seconds}s;`,
    );
    chains.set(`t_${place}`, [
      `update @a_${place} { ip saddr }`,
      `meta l4proto ${protocol} dnat to ${target.address}:${target.port}`,
    ]);
  }
  const choices = targets.map((target, index) => `${index} : goto t_${placeOf(target)}`);
  chains.set(`s_${service}`, [
    ...targets.map((target) => `ip saddr @a_${placeOf(target)} goto t_${placeOf(target)}`),
    `numgen random mod ${targets.length} vmap { ${choices.join(', ')} }`,
  ]);
}
