import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../store/types.ts';
import { matchesSelector, parseFieldSelector, parseLabelSelector } from './selectors.ts';

describe('label selectors', () => {
  const labels = { app: 'web', tier: 'front', 'example.com/x': '' };
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app=db', false],
    ['tier in (front, back),app', true],
    ['tier notin (front)', false],
    ['other notin (a)', true],
    ['other!=a', true],
    ['!other', true],
    ['!app', false],
    ['example.com/x=', true],
    ['app', true],
    ['constructor', false],
  ])('%s: %s', (text, expected) => {
    expect(parseLabelSelector(text)(labels)).toBe(expected);
  });

  it.each(['app in web', 'a=b=c', '=x', 'a b'])('refuses %s', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 'API_REFUSED' }));
  });

  it('matches as it stands in an object; without one nothing matches', () => {
    const matchExpressions = [
      { key: 'tier', operator: 'In', values: ['front'] },
      { key: 'gone', operator: 'DoesNotExist' },
    ];
    expect(matchesSelector({ matchLabels: { app: 'web' }, matchExpressions }, labels)).toBe(true);
    expect(
      matchesSelector({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, labels),
    ).toBe(false);
    expect(matchesSelector({}, labels)).toBe(true);
    expect(matchesSelector(undefined, labels)).toBe(false);
  });
});

describe('field selectors', () => {
  const metadata = { name: 'a', namespace: 'n', uid: '', resourceVersion: '', creationTimestamp: '' };
  const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' } };
  it('knows the fields of each kind', () => {
    expect(parseFieldSelector('pods', 'status.phase=Running,metadata.name!=b')(pod)).toBe(true);
    expect(parseFieldSelector('pods', 'spec.nodeName=')(pod)).toBe(true);
    const signing = parseFieldSelector(
      'certificatesigningrequests.certificates.k8s.io',
      'spec.signerName=a.b/c',
    );
    expect([signing({ ...pod, spec: { signerName: 'a.b/c' } }), signing(pod)]).toEqual([true, false]);
    expect(() => parseFieldSelector('configmaps', 'status.phase=x')).toThrow(
      'field label not supported: status.phase',
    );
  });
});
