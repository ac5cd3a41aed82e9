import { describe, expect, it } from 'vitest';
import type { ServiceForward } from '../types.ts';
import { renderFirewall } from './firewall.ts';

const facts = {
  table: 'updraft_abc',
  bridge: 'ud-abc',
  podCidr: '10.128.0.0/20',
  serviceCidr: '10.128.16.0/20',
};
const service = (more: Partial<ServiceForward> = {}): ServiceForward => ({
  address: '10.128.16.5',
  port: 80,
  protocol: 'tcp',
  targets: [
    { address: '10.128.0.7', port: 8080 },
    { address: '10.128.0.8', port: 8081 },
  ],
  ...more,
});

describe('the firewall', () => {
  it('replaces its whole table in one transaction', () => {
    expect(renderFirewall(facts, [])).toMatch(
      /^add table ip updraft_abc\ndelete table ip updraft_abc\ntable ip updraft_abc \{/,
    );
  });

  it('spreads connections over the targets and lets a pod reach itself', () => {
    const rules = renderFirewall(facts, [service()]);
    expect(rules).toContain('elements = { 10.128.16.5 . tcp . 80 : goto to_10_128_16_5_tcp_80 }');
    expect(rules).toContain(
      'dnat to numgen random mod 2 map { 0 : 10.128.0.7 . 8080, 1 : 10.128.0.8 . 8081 }',
    );
    expect(rules).toContain('elements = { 10.128.0.7 . 10.128.0.7, 10.128.0.8 . 10.128.0.8 }');
  });

  it('chooses by the client’s address where affinity is asked for', () => {
    expect(renderFirewall(facts, [service({ affinitySeconds: 60 })])).toContain(
      'dnat to jhash ip saddr mod 2 map',
    );
  });

  it('leaves a service without targets to the rule that refuses', () => {
    expect(renderFirewall(facts, [service({ targets: [] })])).not.toContain('10.128.16.5');
  });

  it.each([
    service({ address: '1.2.3.4 ; flush ruleset' }),
    service({ targets: [{ address: 'evil }', port: 1 }] }),
    service({ port: 70_000 }),
    service({ targets: [{ address: '10.0.0.1', port: 0.5 }] }),
  ])('lets nothing but addresses and ports into the rules', (hostile) => {
    expect(() => renderFirewall(facts, [hostile])).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});
