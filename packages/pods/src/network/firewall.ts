import { messageOf, runOrThrow } from '@updraft/kit';
import type { Logger } from '@updraft/kit';
import { requirePort } from '../fault.ts';
import type { ServiceForward, TrafficRules } from '../types.ts';
import { EMPTY_RULESET, joinRulesets, renderChange } from './ruleset.ts';
import type { Ruleset } from './ruleset.ts';
import { serviceRules } from './service-rules.ts';
import { trafficRules } from './traffic-rules.ts';

export interface FirewallFacts {
  readonly table: string;
  readonly bridge: string;
  readonly gateway: string;
  readonly podCidr: string;
  /** The part of `podCidr` whose pods nobody may open connections to. */
  readonly closedCidr: string;
  readonly serviceCidr: string;
}

/**
 * The table with nothing in it yet, as nft commands that replace what was there; established connections live on.
 * Pods are routed, never bridged, to each other (each has a /32 address), so every packet passes these chains.
 * Where bridges pass through netfilter, a reset for a translated packet would come from the wrong address.
 */
export function renderTable(facts: FirewallFacts): string {
  const { table } = facts;
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map incoming { type ipv4_addr : verdict; }
  map outgoing { type ipv4_addr : verdict; }
  set hairpins { type ipv4_addr . ipv4_addr; }
  set gateway_ports { type inet_proto . inet_service; }
  chain refuse {
    ct status dnat reject with icmp type port-unreachable
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }
${translation(facts)}${towardsHost(facts)}${towardsPods(facts)}}
`;
}

/** What is forged is dropped before its connection is known; Services are led to their targets. */
const translation = ({ bridge, podCidr }: FirewallFacts) => `
  chain spoofed {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
    iifname "${bridge}" ip saddr != ${podCidr} drop
    iifname != { "${bridge}", "lo" } ip saddr ${podCidr} drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "${bridge}" ip daddr . meta l4proto . th dport vmap @services
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr . meta l4proto . th dport vmap @services
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr . ip daddr @hairpins masquerade
    ip saddr 127.0.0.0/8 oifname "${bridge}" masquerade
    ip saddr ${podCidr} oifname != "${bridge}" masquerade
  }
`;

/** The gateway is there for pods and the host alone. Other addresses of the host are to pods what they are to its network. */
const towardsHost = ({ bridge, gateway, serviceCidr }: FirewallFacts) => `
  chain input {
    type filter hook input priority filter; policy accept;
    ct state established,related accept
    iifname != { "${bridge}", "lo" } ip daddr ${gateway} jump refuse
    iifname "${bridge}" jump from_pods
  }
  chain from_pods {
    fib daddr type != local drop
    ip daddr ${gateway} meta l4proto { tcp, udp } th dport 53 accept
    ip saddr vmap @outgoing
    ip daddr != ${gateway} accept
    icmp type echo-request accept
    meta l4proto . th dport @gateway_ports accept
    jump refuse
  }
  chain local {
    type filter hook output priority filter; policy accept;
    ip daddr ${serviceCidr} jump refuse
    oifname "${bridge}" icmp type redirect drop
  }
`;

/** Pods are reached by their own platform's pods, as far as the rules for both let them, and by the host. */
const towardsPods = ({ bridge, closedCidr, serviceCidr }: FirewallFacts) => `
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ip daddr ${serviceCidr} jump refuse
    ip saddr . ip daddr @hairpins accept
    iifname "${bridge}" ip saddr vmap @outgoing
    oifname "${bridge}" jump to_pods
  }
  chain to_pods {
    iifname != "${bridge}" jump refuse
    ip daddr ${closedCidr} jump refuse
    ip daddr vmap @incoming
  }
`;

/** Which ports of the gateway's address pods may reach, beside DNS. */
function gatewayPorts(ports: Iterable<number>): Ruleset {
  const entries = new Map([...ports].map((port) => [`tcp . ${requirePort(port)}`, '']));
  return { ...EMPTY_RULESET, elements: new Map([['gateway_ports', entries]]) };
}

/**
 * One platform's table. Each change is one transaction of what has changed; what is asked for while one is on its way
 * goes with the next. If the table is not as it was left (`nft flush ruleset`), it is made anew.
 */
export class Firewall {
  readonly #facts: FirewallFacts;
  readonly #logger: Logger;
  readonly #ports = new Set<number>();
  #services: Ruleset | undefined;
  #traffic: Ruleset | undefined;
  /** What the table holds; undefined: nobody knows. */
  #applied: Ruleset | undefined;
  /** The table is an earlier process's, and pods live by it. */
  #inherited: boolean;
  #tail: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(facts: FirewallFacts, options: { logger: Logger; inherited: boolean }) {
    this.#facts = facts;
    this.#logger = options.logger;
    this.#inherited = options.inherited;
  }

  /** @throws PodsFault UNSUPPORTED, and then nothing has changed */
  async setServices(services: readonly ServiceForward[]): Promise<void> {
    this.#services = serviceRules(services);
    await this.apply();
  }

  /** @throws PodsFault UNSUPPORTED, and then nothing has changed */
  async setTraffic(rules: TrafficRules): Promise<void> {
    this.#traffic = trafficRules(rules);
    await this.apply();
  }

  async openPorts(ports: readonly number[]): Promise<void> {
    const fresh = ports.filter((port) => !this.#ports.has(requirePort(port)));
    for (const port of fresh) this.#ports.add(port);
    if (fresh.length > 0) await this.apply();
  }

  /** Brings the table to what is wanted now. */
  apply(): Promise<void> {
    if (!this.#next) {
      this.#next = this.#tail.then(() => {
        this.#next = undefined;
        return this.#write();
      });
      this.#tail = this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  async #write(): Promise<void> {
    // Half of what is wanted would take living pods' services away, or the rules that keep others from them.
    if (this.#inherited && !(this.#services && this.#traffic)) return;
    this.#inherited = false;
    const parts = [this.#services, this.#traffic, gatewayPorts(this.#ports)];
    const wanted = joinRulesets(parts.filter((part) => part !== undefined));
    const before = this.#applied;
    this.#applied = undefined;
    if (!before || !(await this.#change(before, wanted))) await this.#replace(wanted);
    this.#applied = wanted;
  }

  async #change(before: Ruleset, wanted: Ruleset): Promise<boolean> {
    const commands = renderChange(this.#facts.table, before, wanted);
    if (commands === '') return true;
    try {
      await runOrThrow('nft', ['-f', '-'], { input: commands });
      return true;
    } catch (error) {
      this.#logger.log('warn', 'the network’s rules are not as they were left, and are made anew', {
        error: messageOf(error).slice(0, 500),
      });
      return false;
    }
  }

  async #replace(wanted: Ruleset): Promise<void> {
    const { table } = this.#facts;
    const input = `${renderTable(this.#facts)}${renderChange(table, EMPTY_RULESET, wanted)}`;
    await runOrThrow('nft', ['-f', '-'], { input });
  }
}
