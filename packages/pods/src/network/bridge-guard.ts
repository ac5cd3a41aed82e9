import { messageOf, run, runOrThrow } from '@updraft/kit';
import type { Logger } from '@updraft/kit';
import { changeElement } from './set-element.ts';

/** The set of devices and the addresses of their pods. */
const PODS = 'pods';

/**
 * What may come in at a bridge's ports: frames for the gateway, from the address that the port's pod was given, and
 * nothing else. So pods can neither talk past the rules to their neighbours nor pass for one of them.
 */
export class BridgeGuard {
  readonly #id: string;
  readonly #table: string;
  readonly #logger: Logger;
  #active = false;

  constructor(id: string, logger: Logger) {
    this.#id = id;
    this.#table = `updraft_${id}`;
    this.#logger = logger;
  }

  /** Kernels without nftables for bridges have to do without: that is said. */
  async open(options: { mac: string; gateway: string; pods: ReadonlyMap<string, string> }): Promise<void> {
    const { mac, gateway, pods } = options;
    const known = [...pods].map(([device, address]) => `"${device}" . ${address}`);
    const elements = known.length > 0 ? ` elements = { ${known.join(', ')} };` : '';
    const input = `add table bridge ${this.#table}
delete table bridge ${this.#table}
table bridge ${this.#table} {
  set ${PODS} { type ifname . ipv4_addr;${elements} }
  chain from_pod {
    ether type arp arp daddr ip ${gateway} iifname . arp saddr ip @${PODS} accept
    ether daddr != ${mac} drop
    ether type ip iifname . ip saddr @${PODS} accept
    drop
  }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname "ud${this.#id}*" jump from_pod
  }
}
`;
    try {
      await runOrThrow('nft', ['-f', '-'], { input });
      this.#active = true;
    } catch (error) {
      const why = messageOf(error).slice(0, 300);
      this.#logger.log('warn', 'this kernel cannot filter bridges: a pod may pass for another', { why });
    }
  }

  /** @throws PodsFault SYSTEM_CALL_FAILED */
  admit(device: string, address: string): void {
    if (this.#active) changeElement('add', { table: this.#table, set: PODS, device, address });
  }

  /** Never fails: what is forgotten has no device any more. */
  forget(device: string, address: string): void {
    if (!this.#active) return;
    try {
      changeElement('delete', { table: this.#table, set: PODS, device, address });
    } catch (error) {
      this.#logger.log('warn', 'a pod is still known to the bridge', { device, error: messageOf(error) });
    }
  }

  async close(): Promise<void> {
    await run('nft', ['delete', 'table', 'bridge', this.#table]);
  }
}
