import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';

const PATH = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const MUTATING_PATH = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(async () => under.close());

const webhook = (more: object = {}) => ({
  name: 'deny.example.com',
  clientConfig: { service: { namespace: 'default', name: 'hook' } },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
});

const configuration = (kind: string, webhooks: unknown[], name = 'policy') => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name },
  webhooks,
});

async function refused(more: object): Promise<string> {
  const body = configuration('ValidatingWebhookConfiguration', [webhook(more)], 'bad');
  const reply = await under.send('POST', PATH, { body });
  expect(reply.code).toBe(422);
  return reply.body.message;
}

const rule = (more: object) => ({ rules: [{ ...webhook().rules[0], ...more }] });

describe('configurations of webhooks', () => {
  it('get their defaults', async () => {
    const body = configuration('MutatingWebhookConfiguration', [webhook()]);
    const reply = await under.send('POST', MUTATING_PATH, { body });
    expect(reply.code).toBe(201);
    expect(reply.body.metadata.generation).toBe(1);
    expect(reply.body.webhooks[0]).toMatchObject({
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      reinvocationPolicy: 'Never',
      clientConfig: { service: { port: 443 } },
    });
    expect(reply.body.webhooks[0].rules[0].scope).toBe('*');
    await under.send('DELETE', `${MUTATING_PATH}/policy`);
  });

  it.each([
    [{ name: 'short.name' }, 'should be a domain with at least three segments'],
    [
      { sideEffects: 'Some' },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [{ timeoutSeconds: 0 }, 'the timeout value must be between 1 and 30 seconds'],
    [{ timeoutSeconds: 31 }, 'the timeout value must be between 1 and 30 seconds'],
    [{ failurePolicy: 'Maybe' }, 'supported values: "Fail", "Ignore"'],
    [{ matchPolicy: 'Loose' }, 'supported values: "Equivalent", "Exact"'],
    [{ admissionReviewVersions: [] }, 'must specify one of v1, v1beta1'],
    [{ admissionReviewVersions: ['v9'] }, 'must include at least one of v1, v1beta1'],
    [{ admissionReviewVersions: ['v1', 'v1'] }, 'duplicate version'],
    [{ matchConditions: [{ name: 'a', expression: 'true' }] }, 'this cluster does not evaluate CEL'],
    [rule({ operations: ['*', 'CREATE'] }), "if '*' is present, must not specify other operations"],
    [rule({ operations: ['READ'] }), 'webhooks[0].rules[0].operations[0]: Unsupported value: "READ"'],
    [rule({ apiGroups: [] }), 'webhooks[0].rules[0].apiGroups: Required value'],
    [rule({ apiVersions: [''] }), 'webhooks[0].rules[0].apiVersions[0]: Required value'],
    [rule({ resources: ['*', 'pods'] }), 'must not specify other resources without subresources'],
    [rule({ resources: ['pods/*', 'pods/status'] }), "if 'pods/*' is present, must not specify pods/status"],
    [rule({ scope: 'Galaxy' }), 'supported values: "*", "Cluster", "Namespaced"'],
    [
      { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } },
      'not a valid selector operator',
    ],
    [
      { objectSelector: { matchLabels: { 'a b': 'c' } } },
      'webhooks[0].objectSelector.matchLabels: Invalid value',
    ],
    [{ clientConfig: {} }, 'exactly one of url or service is required'],
    [{ clientConfig: { url: 'http://a.example' } }, "'https' is the only allowed URL scheme"],
    [{ clientConfig: { url: 'https://me:pw@a.example' } }, 'user information is not permitted'],
    [{ clientConfig: { url: 'https://a.example/?x=1' } }, 'query parameters are not permitted'],
    [{ clientConfig: { url: 'https://127.0.0.1:6443/' } }, 'may not be in the loopback range'],
    [{ clientConfig: { url: 'https://0x7f000001/' } }, 'may not be in the loopback range'],
    [{ clientConfig: { url: 'https://[::ffff:127.0.0.1]/' } }, 'may not be in the loopback range'],
    [
      { clientConfig: { service: { namespace: 'a', name: 'b', path: '/a//b' } } },
      'segment[1] may not be empty',
    ],
  ])('are refused: %j', async (more, words) => {
    expect(await refused(more)).toContain(words);
  });

  it('name each webhook once', async () => {
    const body = configuration('ValidatingWebhookConfiguration', [webhook(), webhook()], 'twice');
    const reply = await under.send('POST', PATH, { body });
    expect(reply.body.message).toContain('webhooks[1].name: Duplicate value: "deny.example.com"');
  });

  it('are merged by the names of their webhooks', async () => {
    const body = configuration('ValidatingWebhookConfiguration', [webhook()], 'merged');
    expect((await under.send('POST', PATH, { body })).code).toBe(201);
    const patch = { webhooks: [{ name: 'deny.example.com', clientConfig: { caBundle: 'Cg==' } }] };
    const type = 'application/strategic-merge-patch+json';
    const reply = await under.send('PATCH', `${PATH}/merged`, { body: patch, type });
    expect(reply.body.webhooks[0]).toMatchObject({
      rules: [{ operations: ['CREATE'] }],
      clientConfig: { caBundle: 'Cg==', service: { name: 'hook' } },
    });
    expect(reply.body.metadata.generation).toBe(2);
    expect((await under.send('DELETE', PATH)).code).toBe(200);
  });
});
