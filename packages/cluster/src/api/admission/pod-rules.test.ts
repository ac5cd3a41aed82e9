import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest, Reply } from '../testing/api-under-test.ts';

const V1 = '/api/v1/namespaces/default';
const PODS = `${V1}/pods`;
const MERGE = 'application/merge-patch+json';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

const create = (name: string, spec: object = {}, container: object = {}): Promise<Reply> =>
  under.send('POST', PODS, {
    body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec } },
  });
const change = (name: string, spec: object): Promise<Reply> =>
  under.send('PATCH', `${PODS}/${name}`, { body: { spec }, type: MERGE });
const answer = ({ code, body }: Reply): unknown => (code < 300 ? code : `${code} ${body.message}`);

describe('a pod that is there', () => {
  it('loses its gates and gets none, and is drawn nearer to a node as long as it has some', async () => {
    await create('gated', {
      schedulingGates: [{ name: 'a' }, { name: 'b' }],
      nodeSelector: { disk: 'fast' },
    });
    expect(answer(await change('gated', { schedulingGates: [{ name: 'a' }, { name: 'new' }] }))).toBe(
      `422 Pod "gated" is invalid: spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'new'`,
    );
    expect(answer(await change('gated', { nodeSelector: { zone: 'x' } }))).toBe(200);
    expect(answer(await change('gated', { nodeSelector: { disk: 'slow' } }))).toContain(
      'only additions are allowed to spec.nodeSelector',
    );
    expect(answer(await change('gated', { schedulingGates: [{ name: 'b' }] }))).toBe(200);
    expect(answer(await change('gated', { schedulingGates: null }))).toBe(200);
    expect(answer(await change('gated', { nodeSelector: { more: 'y' } }))).toContain('field is immutable');
  });

  it('keeps what it tolerates, its grace, and a deadline that only comes nearer', async () => {
    const toleration = { key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
    await create('kept', { tolerations: [toleration], activeDeadlineSeconds: 60 });
    const more = [
      { ...toleration, tolerationSeconds: 9 },
      { key: 'other', operator: 'Exists' },
    ];
    expect(answer(await change('kept', { tolerations: more }))).toBe(200);
    expect(answer(await change('kept', { tolerations: [more[1]] }))).toContain(
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    );
    expect(answer(await change('kept', { activeDeadlineSeconds: 30 }))).toBe(200);
    expect(answer(await change('kept', { activeDeadlineSeconds: 31 }))).toContain(
      'must be less than or equal to previous value',
    );
    expect(answer(await change('kept', { activeDeadlineSeconds: null }))).toContain(
      'must not update from a positive integer to nil value',
    );
    expect(answer(await change('kept', { terminationGracePeriodSeconds: 1 }))).toContain(
      'pod updates may not change fields other than',
    );
  });

  it('has one generation more for each change, and none for being put on a node', async () => {
    const made = await create('counted');
    const target = { apiVersion: 'v1', kind: 'Binding', target: { kind: 'Node', name: 'n' } };
    await under.send('POST', `${PODS}/counted/binding`, {
      body: { ...target, metadata: { name: 'counted' } },
    });
    const bound = await under.send('GET', `${PODS}/counted`);
    const changed = await change('counted', { activeDeadlineSeconds: 30 });
    expect([made, bound, changed].map(({ body }) => body.metadata.generation)).toEqual([1, 1, 2]);
    expect(bound.body.spec.nodeName).toBe('n');
  });
});

describe('of a new pod', () => {
  it('hooks have one handler, and none sleeps longer than the pod may take to end', async () => {
    const hook = (lifecycle: object, grace = 5) =>
      create('hooked', { terminationGracePeriodSeconds: grace }, { lifecycle }).then(answer);
    expect(await hook({ preStop: { sleep: { seconds: 6 } } })).toContain(
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 6: must be non-negative and less than terminationGracePeriodSeconds (5)',
    );
    expect(await hook({ postStart: {} })).toContain(
      'lifecycle.postStart: Required value: must specify a handler type',
    );
    const two = { sleep: { seconds: 1 }, exec: { command: ['true'] } };
    expect(await hook({ preStop: two })).toContain('may not specify more than 1 handler type');
    expect(await hook({ preStop: { sleep: { seconds: 5 } } })).toBe(201);
    const init = { name: 'i', image: 'i', lifecycle: { preStop: { sleep: { seconds: 1 } } } };
    expect(await create('early', { initContainers: [init] }).then(answer)).toContain(
      'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
    );
  });

  it('names of kernel settings are names', async () => {
    const names = ['foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..', 'net/ipv4/x', 'kernel.shmmax'];
    const sysctls = names.map((name) => ({ name, value: '1' }));
    const refused = await create('kernel', { securityContext: { sysctls } });
    const causes = refused.body.details.causes as { field: string; reason: string }[];
    expect(causes.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
      'spec.securityContext.sysctls[0].name FieldValueInvalid',
      'spec.securityContext.sysctls[3].name FieldValueInvalid',
      'spec.securityContext.sysctls[5].name FieldValueDuplicate',
    ]);
  });
});

it('quotas have scopes that exist, do not exclude each other, and stay', async () => {
  const quota = (name: string, spec: object) =>
    under.send('POST', `${V1}/resourcequotas`, { body: { metadata: { name }, spec } }).then(answer);
  const hard = { pods: '5' };
  expect(await quota('a', { hard, scopes: ['BestEffort', 'NotBestEffort'] })).toContain('conflicting scopes');
  expect(await quota('b', { hard, scopes: ['Nothing'] })).toContain('unsupported scope');
  expect(await quota('c', { hard: { pods: '-1' } })).toContain('must be greater than or equal to 0');
  const expression = { scopeName: 'PriorityClass', operator: 'In' };
  expect(await quota('d', { hard, scopeSelector: { matchExpressions: [expression] } })).toContain(
    'must be at least one value',
  );
  expect(await quota('e', { hard, scopes: ['Terminating'] })).toBe(201);
  const body = { spec: { scopes: ['NotTerminating'] } };
  const changed = await under.send('PATCH', `${V1}/resourcequotas/e`, { body, type: MERGE });
  expect(answer(changed)).toContain('spec.scopes: Invalid value');
});

it('services are spread in ways that exist', async () => {
  const service = (name: string, spec: object) =>
    under
      .send('POST', `${V1}/services`, {
        body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } },
      })
      .then(answer);
  expect(await service('a', { trafficDistribution: 'Anywhere' })).toContain(
    'spec.trafficDistribution: Unsupported value: "Anywhere"',
  );
  expect(await service('b', { internalTrafficPolicy: 'Near' })).toContain('Unsupported value: "Near"');
  expect(await service('c', { trafficDistribution: 'PreferClose', internalTrafficPolicy: 'Local' })).toBe(
    201,
  );
});
