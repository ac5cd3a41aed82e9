import type { ClusterAccess } from '@updraft/pods';
import { describe, expect, it } from 'vitest';
import { playbookVariables } from './playbook-variables.ts';

const ACCESS: ClusterAccess = {
  name: 'prod',
  server: new URL('https://k8s.example.com'),
  authority: 'an authority',
  tlsServerName: undefined,
  namespace: undefined,
  certificate: undefined,
  key: undefined,
  token: undefined,
  tokenFile: undefined,
  plugin: undefined,
};
const NOBODY = { token: undefined, certificate: undefined, key: undefined };

describe('what playbooks know of a cluster', () => {
  it('is a token alone where there is no certificate; the port is always named', () => {
    const variables = playbookVariables(ACCESS, { ...NOBODY, token: 'secret' });
    expect(variables.map(({ key, value, masked }) => [key, value, masked === true])).toEqual([
      ['CLUSTER_DOMAIN', 'k8s.example.com:443', false],
      ['CERTIFICATE_AUTHORITY_DATA', Buffer.from('an authority').toString('base64'), false],
      ['CLUSTER_TOKEN', 'secret', true],
    ]);
  });

  it('is a certificate with its key, which is secret', () => {
    const variables = playbookVariables(ACCESS, { ...NOBODY, certificate: 'c', key: 'k' });
    expect(variables.filter(({ masked }) => masked).map(({ key }) => key)).toEqual(['CLIENT_KEY_DATA']);
  });

  it.each([
    [{ server: new URL('https://rancher.example.com/k8s/clusters/c-1') }, 'is a path on a host'],
    [{ tlsServerName: 'api' }, 'for another name'],
    [{ authority: undefined }, 'names no certificate authority'],
  ])('cannot be said of some: %j', (more, message) => {
    const failing = () => playbookVariables({ ...ACCESS, ...more }, { ...NOBODY, token: 't' });
    expect(failing).toThrow(message);
  });
});
