import { describe, expect, it } from 'vitest';
import type { ServiceForward, TrafficRules } from '../types.ts';
import { renderTable } from './firewall.ts';
import { EMPTY_RULESET, joinRulesets, renderChange } from './ruleset.ts';
import { serviceRules } from './service-rules.ts';
import { trafficRules } from './traffic-rules.ts';

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

const change = (before: readonly ServiceForward[], after: readonly ServiceForward[]) =>
  renderChange('t', serviceRules(before), serviceRules(after));

describe('the table', () => {
  it('is replaced in one transaction', () => {
    const facts = {
      table: 'updraft_abc',
      bridge: 'ud-abc',
      gateway: '10.128.0.1',
      podCidr: '10.128.0.0/20',
      closedCidr: '10.128.8.0/21',
      serviceCidr: '10.128.16.0/20',
    };
    expect(renderTable(facts)).toMatch(
      /^add table ip updraft_abc\ndelete table ip updraft_abc\ntable ip updraft_abc \{/,
    );
  });
});

describe('services', () => {
  it('spread connections over their targets and let a pod reach itself', () => {
    const { chains, elements } = serviceRules([service()]);
    expect(elements.get('services')?.get('10.128.16.5 . tcp . 80')).toBe('goto s_10_128_16_5_tcp_80');
    expect(chains.get('s_10_128_16_5_tcp_80')).toEqual([
      'meta l4proto tcp dnat to numgen random mod 2 map { 0 : 10.128.0.7 . 8080, 1 : 10.128.0.8 . 8081 }',
    ]);
    expect([...(elements.get('hairpins')?.keys() ?? [])]).toEqual([
      '10.128.0.7 . 10.128.0.7',
      '10.128.0.8 . 10.128.0.8',
    ]);
  });

  it('remember their clients for as long as they are told', () => {
    const { sets } = serviceRules([service({ affinitySeconds: 60 })]);
    expect([...sets.values()]).toEqual([
      expect.stringMatching(/timeout 60s/),
      expect.stringMatching(/timeout 60s/),
    ]);
  });

  it('without targets are left to the rule that refuses', () => {
    expect(serviceRules([service({ targets: [] })]).chains.size).toBe(0);
  });

  it('change only what has changed', () => {
    const other = service({ address: '10.128.16.6' });
    expect(change([service(), other], [service(), other])).toBe('');
    const fewer = { ...other, targets: other.targets.slice(0, 1) };
    expect(change([service(), other], [service(), fewer])).toBe(
      'flush chain ip t s_10_128_16_6_tcp_80\n' +
        'add rule ip t s_10_128_16_6_tcp_80 meta l4proto tcp dnat to numgen random mod 1 map { 0 : 10.128.0.7 . 8080 }\n',
    );
    expect(change([service(), other], [service()])).toBe(
      'delete element ip t services { 10.128.16.6 . tcp . 80 : goto s_10_128_16_6_tcp_80 }\n' +
        'flush chain ip t s_10_128_16_6_tcp_80\n' +
        'delete chain ip t s_10_128_16_6_tcp_80\n',
    );
  });

  it.each([
    service({ address: '1.2.3.4 ; flush ruleset' }),
    service({ targets: [{ address: 'evil }', port: 1 }] }),
    service({ targets: [{ address: 'evil }', port: 1 }], affinitySeconds: 5 }),
    service({ port: 70_000 }),
    service({ targets: [{ address: '10.0.0.1', port: 0.5 }] }),
  ])('let nothing but addresses and ports into the rules', (hostile) => {
    expect(() => serviceRules([hostile])).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

const traffic = (rule: TrafficRules['lists'][string][number]): TrafficRules => ({
  pods: [{ address: '10.128.0.7', incoming: 'list' }],
  lists: { list: [rule] },
});

const chainOf = (rules: TrafficRules) => [...trafficRules(rules).chains.values()][0];

describe('traffic', () => {
  it('is refused when nothing allows it', () => {
    expect(chainOf({ pods: [{ address: '10.128.0.7', incoming: 'none' }], lists: { none: [] } })).toEqual([
      'jump refuse',
    ]);
  });

  it('is allowed from any of the peers to any of the ports', () => {
    const rules = chainOf(
      traffic({
        peers: [{ addresses: ['10.1.1.2', '10.1.1.1'] }, { range: '10.2.0.0/16', except: ['10.2.1.0/24'] }],
        ports: [{ protocol: 'tcp', from: 80 }, { protocol: 'udp', from: 100, to: 200 }, { protocol: 'sctp' }],
      }),
    );
    expect(rules).toHaveLength(7);
    expect(rules).toContain('ip saddr 10.2.0.0/16 ip saddr != { 10.2.1.0/24 } udp dport 100-200 return');
    expect(rules?.[0]).toMatch(/^ip saddr @p_[0-9a-f]{20} tcp dport 80 return$/);
    expect(rules?.at(-1)).toBe('jump refuse');
  });

  it('of nobody is not that of everybody', () => {
    expect(chainOf(traffic({ peers: [{ addresses: [] }] }))).toEqual(['jump refuse']);
    expect(chainOf(traffic({ peers: [] }))).toEqual(['jump refuse']);
    expect(chainOf(traffic({}))).toEqual(['return', 'jump refuse']);
  });

  it('with the same rules goes by the same chain', () => {
    const list = [{ ports: [{ protocol: 'tcp', from: 1 } as const] }];
    const { chains } = trafficRules({
      pods: [
        { address: '10.128.0.7', incoming: 'a' },
        { address: '10.128.0.8', incoming: 'b' },
      ],
      lists: { a: list, b: list },
    });
    expect(chains.size).toBe(1);
  });

  it.each([
    { peers: [{ addresses: ['10.0.0.1; flush'] }] },
    { peers: [{ range: '10.0.0.0/99' }] },
    { peers: [{ range: '0.0.0.0/0', except: ['x'] }] },
    { ports: [{ protocol: 'tcp', from: 70_000 } as const] },
    { ports: [{ protocol: 'tcp', from: 1, to: -1 } as const] },
  ])('lets nothing but addresses, ranges and ports into the rules', (hostile) => {
    expect(() => trafficRules(traffic(hostile))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

it('parts of a ruleset keep each other’s elements', () => {
  const part = (key: string) => ({ ...EMPTY_RULESET, elements: new Map([['set', new Map([[key, '']])]]) });
  expect([
    ...(joinRulesets([part('a'), part('b')])
      .elements.get('set')
      ?.keys() ?? []),
  ]).toEqual(['a', 'b']);
});
