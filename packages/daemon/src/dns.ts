import type { DnsZone } from '@updraft/pods';

/**
 * `*.localhost` leads to the platform inside pods: there the loopback of RFC 6761 would be the pod's own, and what the
 * user means by an environment's URL is this machine.
 */
export const localhostZone = (gateway: string): DnsZone => ({
  lookup(name, type) {
    if (!name.endsWith('.localhost')) return undefined;
    return type === 'A' ? [{ type: 'A', ttlSeconds: 60, data: gateway }] : [];
  },
});
