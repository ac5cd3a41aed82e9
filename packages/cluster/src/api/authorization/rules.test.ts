import { describe, expect, test } from 'vitest';
import { catalogOf } from '../catalog.ts';
import { parseTarget } from '../target.ts';
import { accessRequest } from './access-request.ts';
import { ruleAllows, ruleText, uncovered } from './rules.ts';
import type { PolicyRule } from './rules.ts';

const user = { name: 'jane', groups: [] };

describe('what a request asks for', () => {
  const asked = (method: string, url: string) => {
    const { pathname, searchParams } = new URL(url, 'https://host');
    return accessRequest(
      { user, method, path: pathname, query: searchParams },
      parseTarget(catalogOf({ list: () => [] }), pathname),
    );
  };
  test.each([
    ['GET', '/api/v1/namespaces/a/pods', 'list', { resource: 'pods', namespace: 'a', name: undefined }],
    ['GET', '/api/v1/pods?watch=true', 'watch', { resource: 'pods', namespace: undefined }],
    ['GET', '/api/v1/namespaces/a/pods/p', 'get', { name: 'p' }],
    ['HEAD', '/api/v1/namespaces/a/pods/p/log', 'get', { name: 'p', subresource: 'log' }],
    ['GET', '/api/v1/namespaces/a', 'get', { resource: 'namespaces', namespace: 'a', name: 'a' }],
    ['POST', '/apis/apps/v1/namespaces/a/deployments', 'create', { group: 'apps', resource: 'deployments' }],
    ['PUT', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'update', { subresource: 'scale' }],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d', 'patch', { name: 'd' }],
    ['DELETE', '/api/v1/namespaces/a/pods/p', 'delete', { name: 'p' }],
    ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection', { name: undefined }],
    ['GET', '/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dp', 'list', { name: 'p' }],
    ['GET', '/openapi/v3', 'get', { path: '/openapi/v3' }],
  ])('%s %s', (method, url, verb, to) => {
    const request = asked(method, url);
    expect(request.verb).toBe(verb);
    expect(request.to).toMatchObject(to);
  });
});

describe('rules', () => {
  const pods: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] };
  const pod = { group: '', resource: 'pods', namespace: 'a', name: 'p' };
  test.each<[what: string, ...asked: Parameters<typeof ruleAllows>, allowed: boolean]>([
    ['what it names', pods, 'get', pod, true],
    ['not another verb', pods, 'delete', pod, false],
    ['not another group', { ...pods, apiGroups: ['apps'] }, 'get', pod, false],
    ['not a subresource', pods, 'get', { ...pod, subresource: 'log' }, false],
    [
      'a named subresource',
      { ...pods, resources: ['pods/log'] },
      'get',
      { ...pod, subresource: 'log' },
      true,
    ],
    [
      'a subresource of all',
      { ...pods, resources: ['*/scale'] },
      'get',
      { ...pod, subresource: 'scale' },
      true,
    ],
    ['one object', { ...pods, resourceNames: ['p'] }, 'get', pod, true],
    ['not another object', { ...pods, resourceNames: ['q'] }, 'get', pod, false],
    ['not all objects', { ...pods, resourceNames: ['p'] }, 'list', { ...pod, name: undefined }, false],
    ['a path', { verbs: ['get'], nonResourceURLs: ['/metrics'] }, 'get', { path: '/metrics' }, true],
    ['paths below', { verbs: ['get'], nonResourceURLs: ['/api/*'] }, 'get', { path: '/api/v1' }, true],
    ['no path', pods, 'get', { path: '/api' }, false],
    [
      'everything',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      'x',
      { ...pod, subresource: 'y' },
      true,
    ],
    ['nothing without verbs', { apiGroups: ['*'], resources: ['*'] }, 'get', pod, false],
  ])('allow %s', (_what, ...row) => {
    const [rule, verb, to, allowed] = row;
    expect(ruleAllows(rule, verb, to)).toBe(allowed);
  });

  test('what is not held is named, one permission at a time', () => {
    const held: PolicyRule[] = [pods, { verbs: ['get'], apiGroups: ['apps'], resources: ['*'] }];
    expect(uncovered([pods], held)).toEqual([]);
    expect(uncovered([{ ...pods, resourceNames: ['p'] }], held)).toEqual([]);
    expect(uncovered([pods], [{ ...pods, resourceNames: ['p'] }])).toHaveLength(2);
    expect(uncovered([{ verbs: ['get'], apiGroups: ['*'], resources: ['pods'] }], held)).toHaveLength(1);
    const [missing] = uncovered([{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['pods'] }], held);
    expect(ruleText(missing ?? {})).toBe('{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}');
  });
});
