import { isIPv4 } from 'node:net';
import { PodsFault, requirePort } from '../fault.ts';
import type { ServiceForward } from '../types.ts';

export interface FirewallFacts {
  readonly table: string;
  readonly bridge: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/**
 * The whole table as one nft transaction: what was there is replaced at once, established connections live on.
 * Pods are routed, never bridged, to each other (each has a /32 address), so every packet passes these chains.
 */
export function renderFirewall(facts: FirewallFacts, services: readonly ServiceForward[]): string {
  const { table, bridge, podCidr, serviceCidr } = facts;
  const served = services.filter((service) => service.targets.length > 0);
  const chains = served.map(serviceChain);
  const hairpins = [
    ...new Set(served.flatMap((service) => service.targets.map((target) => ipv4(target.address)))),
  ];
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; ${elements(served.map(serviceElement))} }
  set hairpins { type ipv4_addr . ipv4_addr; ${elements(hairpins.map((address) => `${address} . ${address}`))} }
${chains.join('\n')}
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable;
  }
  chain spoofed {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
    iifname "${bridge}" ip saddr != ${podCidr} drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr . meta l4proto . th dport vmap @services
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr . meta l4proto . th dport vmap @services
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ip daddr ${serviceCidr} jump refuse
  }
  chain local {
    type filter hook output priority filter; policy accept;
    ip daddr ${serviceCidr} jump refuse
    oifname "${bridge}" icmp type redirect drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr . ip daddr @hairpins masquerade
    ip saddr ${podCidr} oifname != "${bridge}" masquerade
  }
}
`;
}

function elements(entries: readonly string[]): string {
  return entries.length === 0 ? '' : `elements = { ${entries.join(', ')} }`;
}

function chainName(service: ServiceForward): string {
  return `to_${ipv4(service.address).replaceAll('.', '_')}_${service.protocol}_${requirePort(service.port)}`;
}

function serviceElement(service: ServiceForward): string {
  return `${service.address} . ${service.protocol} . ${service.port} : goto ${chainName(service)}`;
}

/** A client that has to stay with its target is given it by a hash of its address: nothing to remember or to expire. */
function serviceChain(service: ServiceForward): string {
  const count = service.targets.length;
  const choice = service.affinitySeconds ? `jhash ip saddr mod ${count}` : `numgen random mod ${count}`;
  const targets = service.targets.map(
    (target, index) => `${index} : ${ipv4(target.address)} . ${requirePort(target.port)}`,
  );
  return `  chain ${chainName(service)} { meta l4proto ${service.protocol} dnat to ${choice} map { ${targets.join(', ')} }; }`;
}

/** What is written into the transaction comes from users' manifests: only addresses and ports (see requirePort) get through. */
function ipv4(address: string): string {
  if (isIPv4(address)) return address;
  throw new PodsFault('UNSUPPORTED', `${JSON.stringify(address)} is no IPv4 address`);
}
