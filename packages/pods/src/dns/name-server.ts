import type { Clock, Logger } from '@updraft/kit';
import type { DnsZone } from '../types.ts';

export interface NameServerOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly resolvers?: readonly string[];
}

export interface NameServer {
  addZone(zone: DnsZone): () => void;
  close(): Promise<void>;
}

export async function startNameServer(_options: NameServerOptions): Promise<NameServer> {
  const zones = new Set<DnsZone>();
  return {
    addZone(zone) {
      zones.add(zone);
      return () => zones.delete(zone);
    },
    close: async () => undefined,
  };
}
