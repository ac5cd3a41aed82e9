import { expect } from 'vitest';
import type { ApiUnderTest } from '../../testing/api-under-test.ts';
import { pod } from '../../testing/manifests.ts';
import type { FakeWebhook } from './fake-webhook.ts';

const NS = '/api/v1/namespaces/default';

/** Makes the webhook the Service `hook` in the namespace `default`. */
export async function publish(under: ApiUnderTest, hook: FakeWebhook): Promise<void> {
  await under.send('POST', `${NS}/pods`, { body: pod('hook') });
  under.store.modify('pods', 'default', 'hook', (object) => ({ ...object, status: { phase: 'Running' } }));
  const ports = [{ port: 443, targetPort: hook.port }];
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'hook' }, spec: { ports } };
  expect((await under.send('POST', `${NS}/services`, { body: service })).code).toBe(201);
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'hook', labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    ports: [{ port: hook.port }],
    endpoints: [{ addresses: ['10.1.1.1'], targetRef: { kind: 'Pod', name: 'hook' } }],
  };
  const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  expect((await under.send('POST', path, { body: slice })).code).toBe(201);
}

/** One webhook of a configuration. */
export interface Wish {
  readonly mutating?: boolean;
  readonly path?: string;
  readonly resources?: string[];
  readonly operations?: string[];
  readonly more?: object;
  readonly rule?: object;
}

const webhookOf = (hook: FakeWebhook, name: string, wish: Wish) => ({
  name: `${name}.example.com`,
  clientConfig: {
    caBundle: hook.caBundle,
    service: { namespace: 'default', name: 'hook', path: wish.path ?? '/deny' },
  },
  rules: [
    {
      operations: wish.operations ?? ['*'],
      apiGroups: ['*'],
      apiVersions: ['*'],
      resources: wish.resources ?? ['configmaps'],
      ...wish.rule,
    },
  ],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...wish.more,
});

/** Its webhooks are called `NAME-0.example.com` and so on. All are mutating or validating, as the first says. */
export async function configureIn(
  under: ApiUnderTest,
  hook: FakeWebhook,
  { name, wishes }: { readonly name: string; readonly wishes: Wish | Wish[] },
): Promise<void> {
  const list = [wishes].flat();
  const kind = list[0]?.mutating ? 'Mutating' : 'Validating';
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: list.map((wish, index) => webhookOf(hook, `${name}-${index}`, wish)),
  };
  const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`;
  const reply = await under.send('POST', path, { body });
  expect(reply.body).toMatchObject({ metadata: { name } });
  expect(reply.headers['warning']).toBeUndefined();
}
