import { describe, expect, it } from 'vitest';
import type { NetworkPolicy } from '../../kinds/network.ts';
import { rulesOf } from './rules.ts';
import type { AddressedPod } from './rules.ts';

const pod = (
  address: string,
  namespace: string,
  labels: Record<string, string>,
  port = 8080,
): AddressedPod => ({
  address,
  namespace,
  labels,
  containers: [{ ports: [{ name: 'http', containerPort: port }] }],
});

const pods = [
  pod('10.0.0.1', 'shop', { app: 'web' }),
  pod('10.0.0.2', 'shop', { app: 'web' }, 9090),
  pod('10.0.0.3', 'shop', { app: 'db' }),
  pod('10.0.0.4', 'other', { app: 'web' }),
];
const namespaces = new Map([
  ['shop', { team: 'a' }],
  ['other', { team: 'b' }],
]);

function policy(spec: NetworkPolicy['spec'], name = 'p'): NetworkPolicy {
  const metadata = { name, namespace: 'shop', uid: name, resourceVersion: '1', creationTimestamp: '' };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
}

/** What the pod's list allows. */
function allowed(address: string, direction: 'incoming' | 'outgoing', ...policies: NetworkPolicy[]) {
  const rules = rulesOf({ policies, pods, namespaces });
  const list = rules.pods.find((one) => one.address === address)?.[direction];
  return list === undefined ? 'everything' : rules.lists[list];
}

const web = { podSelector: { matchLabels: { app: 'web' } } };

describe('a policy', () => {
  it('closes the pods that it selects, in its namespace, for incoming traffic', () => {
    const deny = policy({ podSelector: {} });
    expect(allowed('10.0.0.1', 'incoming', deny)).toEqual([]);
    expect(allowed('10.0.0.1', 'outgoing', deny)).toBe('everything');
    expect(allowed('10.0.0.4', 'incoming', deny)).toBe('everything');
    expect(allowed('10.0.0.3', 'incoming', policy(web))).toBe('everything');
  });

  it('closes outgoing traffic when it has rules for it or says so', () => {
    expect(allowed('10.0.0.1', 'outgoing', policy({ podSelector: {}, policyTypes: ['Egress'] }))).toEqual([]);
    expect(allowed('10.0.0.1', 'incoming', policy({ podSelector: {}, policyTypes: ['Egress'] }))).toBe(
      'everything',
    );
    expect(allowed('10.0.0.1', 'outgoing', policy({ podSelector: {}, egress: [{}] }))).toEqual([{}]);
  });

  it('adds to what others allow', () => {
    const one = policy({ podSelector: {} });
    const two = policy({ ...web, ingress: [{ ports: [{ port: 80 }] }] }, 'q');
    expect(allowed('10.0.0.1', 'incoming', one, two)).toEqual([{ ports: [{ protocol: 'tcp', from: 80 }] }]);
    expect(allowed('10.0.0.3', 'incoming', one, two)).toEqual([]);
  });
});

describe('peers', () => {
  const from = (...peers: NonNullable<NonNullable<NetworkPolicy['spec']['ingress']>[0]['from']>) =>
    allowed('10.0.0.3', 'incoming', policy({ podSelector: {}, ingress: [{ from: peers }] }));

  it('are pods of the own namespace, of namespaces, or of both', () => {
    expect(from(web)).toEqual([{ peers: [{ addresses: ['10.0.0.1', '10.0.0.2'] }] }]);
    expect(from({ namespaceSelector: { matchLabels: { team: 'b' } } })).toEqual([
      { peers: [{ addresses: ['10.0.0.4'] }] },
    ]);
    expect(from({ ...web, namespaceSelector: {} })).toEqual([
      { peers: [{ addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.4'] }] },
    ]);
    expect(from({ podSelector: { matchLabels: { app: 'nobody' } } })).toEqual([
      { peers: [{ addresses: [] }] },
    ]);
  });

  it('are ranges with exceptions', () => {
    expect(from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } })).toEqual([
      { peers: [{ range: '10.0.0.0/8', except: ['10.1.0.0/16'] }] },
    ]);
    expect(from({ ipBlock: { cidr: 'fd00::/8' } })).toEqual([{ peers: [{ addresses: [] }] }]);
  });

  it('that are not named are all', () => {
    expect(from()).toEqual([{}]);
  });
});

describe('ports', () => {
  it('by name are what the pod calls so: its own coming in, its peer’s going out', () => {
    const incoming = policy({ podSelector: {}, ingress: [{ ports: [{ port: 'http' }] }] });
    expect(allowed('10.0.0.1', 'incoming', incoming)).toEqual([{ ports: [{ protocol: 'tcp', from: 8080 }] }]);
    expect(allowed('10.0.0.2', 'incoming', incoming)).toEqual([{ ports: [{ protocol: 'tcp', from: 9090 }] }]);
    const outgoing = policy({ podSelector: {}, egress: [{ to: [web], ports: [{ port: 'http' }] }] });
    expect(allowed('10.0.0.3', 'outgoing', outgoing)).toEqual([
      { peers: [{ addresses: ['10.0.0.1'] }], ports: [{ protocol: 'tcp', from: 8080 }] },
      { peers: [{ addresses: ['10.0.0.2'] }], ports: [{ protocol: 'tcp', from: 9090 }] },
    ]);
  });

  it('that the pod does not have allow nothing', () => {
    const unknown = policy({ podSelector: {}, ingress: [{ ports: [{ port: 'nothing' }] }] });
    expect(allowed('10.0.0.1', 'incoming', unknown)).toEqual([]);
    const wrong = policy({ podSelector: {}, ingress: [{ ports: [{ port: 'http', protocol: 'UDP' }] }] });
    expect(allowed('10.0.0.1', 'incoming', wrong)).toEqual([]);
  });

  it('may be ranges, and whole protocols', () => {
    const ports = [{ port: 100, endPort: 200, protocol: 'UDP' }, { protocol: 'SCTP' }];
    expect(allowed('10.0.0.1', 'incoming', policy({ podSelector: {}, ingress: [{ ports }] }))).toEqual([
      { ports: [{ protocol: 'udp', from: 100, to: 200 }, { protocol: 'sctp' }] },
    ]);
  });
});
