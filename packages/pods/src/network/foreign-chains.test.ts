import { describe, expect, it } from 'vitest';
import { acceptRules, blockingChains, removalRules } from './foreign-chains.ts';

const chain = (more: object) => ({
  chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop', ...more },
});
const rule = (handle: number, comment?: string) => ({
  rule: { family: 'ip', table: 'filter', chain: 'FORWARD', handle, ...(comment ? { comment } : {}) },
});

describe('firewalls of others', () => {
  it('block where a base chain of forwarded or incoming packets drops by default', () => {
    const ruleset = {
      nftables: [
        chain({}),
        chain({ family: 'inet', name: 'input', hook: 'input' }),
        chain({ policy: 'accept' }),
        chain({ hook: 'output' }),
        chain({ family: 'ip6' }),
        chain({ name: 'a; flush ruleset' }),
        { chain: { family: 'ip', table: 'filter', name: 'DOCKER' } },
      ],
    };
    expect(blockingChains(ruleset)).toEqual([
      { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward' },
      { family: 'inet', table: 'filter', name: 'input', hook: 'input' },
    ]);
  });

  it('are opened for the bridge alone, and inwards for the gateway alone', () => {
    const facts = { bridge: 'ud-abc', gateway: '10.128.0.1', mark: 'updraft_abc' };
    const base = { family: 'ip', table: 'filter' };
    const chains = [
      { ...base, name: 'FORWARD', hook: 'forward' },
      { ...base, name: 'INPUT', hook: 'input' },
    ] as const;
    expect(acceptRules(chains, facts).split('\n')).toEqual([
      'insert rule ip filter FORWARD iifname "ud-abc" accept comment "updraft_abc"',
      'insert rule ip filter FORWARD oifname "ud-abc" accept comment "updraft_abc"',
      'insert rule ip filter INPUT iifname "ud-abc" ip daddr 10.128.0.1 accept comment "updraft_abc"',
      '',
    ]);
  });

  it('get back exactly the rules that are ours', () => {
    const ruleset = { nftables: [rule(4, 'updraft_abc'), rule(5, 'updraft_abd'), rule(6), chain({})] };
    expect(removalRules(ruleset, 'updraft_abc')).toBe('delete rule ip filter FORWARD handle 4\n');
  });
});
