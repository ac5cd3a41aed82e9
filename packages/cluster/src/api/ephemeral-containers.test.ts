import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest, Reply } from './testing/api-under-test.ts';
import { deployment, pod } from './testing/manifests.ts';

const PODS = '/api/v1/namespaces/default/pods';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const DEBUGGER = { name: 'look', image: 'tools:1' };

let under: ApiUnderTest;
let path: string;
let serial = 0;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());
beforeEach(async () => {
  serial += 1;
  const name = `p${serial}`;
  path = `${PODS}/${name}`;
  expect((await under.send('POST', PODS, { body: pod(name) })).code).toBe(201);
});

const patch = (body: unknown, type = STRATEGIC, where = `${path}/ephemeralcontainers`) =>
  under.send('PATCH', where, { body, type });
const add = (...ephemeralContainers: object[]) => patch({ spec: { ephemeralContainers } });
const listed = ({ body }: Reply) => body.spec.ephemeralContainers as Record<string, unknown>[];

it('adds them one after the other, with defaults, by patch and by update', async () => {
  const first = await add({ ...DEBUGGER, targetContainerName: 'app', stdin: true, tty: true });
  expect([first.code, first.body.kind]).toEqual([200, 'Pod']);
  expect(listed(first)).toEqual([
    {
      name: 'look',
      image: 'tools:1',
      targetContainerName: 'app',
      stdin: true,
      tty: true,
      imagePullPolicy: 'IfNotPresent',
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    },
  ]);
  expect(first.body.metadata.generation).toBe(2);
  expect(first.body.metadata.managedFields).toContainEqual(
    expect.objectContaining({ operation: 'Update', subresource: 'ephemeralcontainers' }),
  );
  const second = await add({ name: 'second', image: 'tools' });
  expect(listed(second).map(({ name, imagePullPolicy }) => [name, imagePullPolicy])).toEqual(
    expect.arrayContaining([
      ['look', 'IfNotPresent'],
      ['second', 'Always'],
    ]),
  );
  const { body } = await under.send('GET', `${path}/ephemeralcontainers`);
  body.spec.ephemeralContainers.push({ name: 'third', image: 'tools:1' });
  expect(listed(await under.send('PUT', `${path}/ephemeralcontainers`, { body }))).toHaveLength(3);
});

it('takes nothing else from what is sent there', async () => {
  const body = (await under.send('GET', path)).body;
  body.spec.containers[0].image = 'other:1';
  body.spec.activeDeadlineSeconds = 5;
  body.metadata.labels = { a: 'b' };
  body.spec.ephemeralContainers = [DEBUGGER];
  const reply = await under.send('PUT', `${path}/ephemeralcontainers`, { body });
  expect(reply.code).toBe(200);
  expect(reply.body.spec).not.toHaveProperty('activeDeadlineSeconds');
  expect(reply.body.spec.containers[0].image).toBe('a:1');
  expect(reply.body.metadata).not.toHaveProperty('labels');
});

it.each([
  ['changed', [{ ...DEBUGGER, image: 'other:1' }]],
  ['removed', []],
])('those that are there may not be %s', async (what, ephemeralContainers) => {
  await add(DEBUGGER);
  const reply = await patch({ spec: { ephemeralContainers } }, MERGE);
  expect(reply.code).toBe(422);
  expect(reply.body.message).toContain(
    `spec.ephemeralContainers: Forbidden: existing ephemeral containers "look" may not be ${what}`,
  );
});

it.each([
  [{ ports: [{ containerPort: 80 }] }, 'ports: Forbidden: cannot be set for an Ephemeral Container'],
  [{ livenessProbe: { tcpSocket: { port: 1 } } }, 'livenessProbe: Forbidden: cannot be set'],
  [{ readinessProbe: { tcpSocket: { port: 1 } } }, 'readinessProbe: Forbidden: cannot be set'],
  [{ startupProbe: { tcpSocket: { port: 1 } } }, 'startupProbe: Forbidden: cannot be set'],
  [{ lifecycle: { preStop: { exec: { command: ['x'] } } } }, 'lifecycle: Forbidden: cannot be set'],
  [{ resources: { limits: { cpu: '1' } } }, 'resources: Forbidden: cannot be set'],
  [{ restartPolicy: 'Always' }, 'restartPolicy: Forbidden: cannot be set'],
  [{ name: 'app' }, 'name: Duplicate value: "app"'],
  [{ name: 'A B' }, 'name: Invalid value: "A B"'],
  [{ targetContainerName: 'nobody' }, 'targetContainerName: Not found: "nobody"'],
  [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }, 'volumeMounts[0].name: Not found: "v"'],
])('%j is refused', async (more, why) => {
  const reply = await add({ ...DEBUGGER, ...more });
  expect([reply.code, reply.body.message]).toEqual([
    422,
    expect.stringContaining(`spec.ephemeralContainers[0].${why}`),
  ]);
});

it('they come by no other way', async () => {
  const made = { ...pod('made'), spec: { ...pod('made').spec, ephemeralContainers: [DEBUGGER] } };
  const created = await under.send('POST', PODS, { body: made });
  expect([created.code, created.body.message]).toEqual([
    422,
    expect.stringContaining('spec.ephemeralContainers: Forbidden: cannot be set on create'),
  ]);
  const direct = await patch({ spec: { ephemeralContainers: [DEBUGGER] } }, MERGE, path);
  expect(direct.code).toBe(422);
  await add(DEBUGGER);
  const image = { spec: { ephemeralContainers: [{ name: 'look', image: 'other:1' }] } };
  expect((await patch(image, STRATEGIC, path)).code).toBe(422);
  const template = deployment('t');
  Object.assign(template.spec.template.spec, { ephemeralContainers: [DEBUGGER] });
  const workload = await under.send('POST', '/apis/apps/v1/namespaces/default/deployments', {
    body: template,
  });
  expect(workload.body.message).toContain(
    'spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
  );
});

it('is in discovery, and only read and written', async () => {
  const { body } = await under.send('GET', '/api/v1');
  const entry = body.resources.find(({ name }: { name: string }) => name === 'pods/ephemeralcontainers');
  expect(entry).toMatchObject({ kind: 'Pod', verbs: ['get', 'patch', 'update'] });
  expect((await under.send('DELETE', `${path}/ephemeralcontainers`)).code).toBe(405);
  expect((await under.send('GET', `${PODS}/nobody/ephemeralcontainers`)).code).toBe(404);
});
