import { describe, expect, it } from 'vitest';
import { RESOURCES } from '../resources.ts';
import { conform } from './conform.ts';
import { decodeProtobuf } from './proto.ts';
import { canonicalQuantity } from './quantity.ts';
import { findDefinition } from './schema.ts';

const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment';

describe('quantities', () => {
  it.each([
    ['0.5', '500m'],
    [0.5, '500m'],
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1000Ki', '1000Ki'],
    ['100M', '100M'],
    ['1e3', '1e3'],
    ['0', '0'],
    ['-1', '-1'],
    ['1500', '1500'],
    ['2000', '2k'],
    ['10Ei', '10Ei'],
  ])('%s is %s', (given, expected) => {
    expect(canonicalQuantity(given)).toBe(expected);
  });
  it.each(['', 'x', '1 Gi', 'Gi', '1KiB', '1e999', '9'.repeat(50)])('%s is none', (text) => {
    expect(canonicalQuantity(text)).toBeUndefined();
  });
});

describe('the schema', () => {
  it('has a definition for every served kind, with metadata', () => {
    for (const type of RESOURCES)
      expect(findDefinition(type.definition)?.properties['metadata'], type.kind).toBeDefined();
  });

  it('knows how lists merge', () => {
    const container = findDefinition('io.k8s.api.core.v1.Container');
    expect(container?.properties['ports']).toMatchObject({
      listKeys: ['containerPort', 'protocol'],
      mergeKey: 'containerPort',
    });
    expect(container?.properties['args']).toMatchObject({ isSet: false, retainKeys: false });
    expect(findDefinition('io.k8s.api.apps.v1.DeploymentSpec')?.properties['strategy']?.retainKeys).toBe(
      true,
    );
  });

  it('takes unknown fields and nulls out and puts quantities into their form', () => {
    const spec = {
      replicas: null,
      nonsense: 1,
      template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: 0.5 } }, typo: true }] } },
    };
    const { object, unknownFields } = conform(DEPLOYMENT, { metadata: { name: 'd' }, spec }, 'Deployment');
    expect(unknownFields).toEqual(['spec.nonsense', 'spec.template.spec.containers[0].typo']);
    expect(object).toEqual({
      metadata: { name: 'd' },
      spec: { template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: '500m' } } }] } } },
    });
  });

  it.each([
    [
      { spec: { replicas: '3' } },
      'cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [{ spec: [] }, 'cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec'],
    [{ spec: { replicas: 1.5 } }, 'int32'],
    [{ metadata: { labels: { a: 1 } } }, 'Go struct field ObjectMeta.metadata.labels of type string'],
    [{ metadata: { labels: 'a' } }, 'Go struct field ObjectMeta.metadata.labels of type map[string]string'],
    [
      { spec: { template: { spec: { containers: {} } } } },
      'cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
  ])('refuses values of another type: %j', (value, words) => {
    expect(() => conform(DEPLOYMENT, value, 'Deployment')).toThrow(words);
  });

  it('puts times into the forms that compiled clients read', () => {
    const LEASE = 'io.k8s.api.coordination.v1.Lease';
    const conformed = (renewTime: string, creationTimestamp = renewTime) =>
      conform(LEASE, { metadata: { creationTimestamp }, spec: { renewTime } }, 'Lease').object;
    expect(conformed('2017-09-19T13:49:16Z')).toEqual({
      metadata: { creationTimestamp: '2017-09-19T13:49:16Z' },
      spec: { renewTime: '2017-09-19T13:49:16.000000Z' },
    });
    expect(conformed('2017-09-19T13:49:16.1234567+02:00')).toEqual({
      metadata: { creationTimestamp: '2017-09-19T11:49:16Z' },
      spec: { renewTime: '2017-09-19T11:49:16.123456Z' },
    });
    for (const text of ['2017', '2017-09-19', '2017-13-19T13:49:16Z', 'Tue Sep 19 2017'])
      expect(() => conformed(text), text).toThrow('parsing time');
  });

  it('takes null for "not given", and in lists and maps for what is empty', () => {
    const given = {
      metadata: { name: 'd', labels: { a: null }, annotations: null },
      spec: { template: { spec: { containers: [null, { name: null, args: ['x', null] }] } } },
    };
    expect(conform(DEPLOYMENT, given, 'Deployment').object).toEqual({
      metadata: { name: 'd', labels: { a: '' } },
      spec: { template: { spec: { containers: [{}, { args: ['x', ''] }] } } },
    });
  });

  it('never repeats a value it refuses: it may be a secret', () => {
    const secret = () => conform('io.k8s.api.core.v1.Secret', { data: { p: 'hunter2!' } }, 'Secret');
    expect(secret).toThrow('base64');
    expect(secret).not.toThrow('hunter2');
  });

  it('stops at nesting nobody means', () => {
    let deep: unknown = 'x';
    for (let n = 0; n < 100; n += 1) deep = { matchLabels: deep };
    expect(() => conform(DEPLOYMENT, { spec: { selector: deep } }, 'Deployment')).toThrow();
  });
});

describe('protobuf', () => {
  const field = (number: number, bytes: Buffer | string) => {
    const content = Buffer.from(bytes);
    return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
  };
  const varint = (number: number, value: number) => Buffer.from([number << 3, value]);
  const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
    Buffer.concat([
      Buffer.from('k8s\0'),
      field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
      field(2, raw),
      field(3, ''),
    ]);

  it('reads objects: maps, bytes, embedded structs, pointers', () => {
    const meta = field(
      1,
      Buffer.concat([
        field(1, 's'),
        field(3, ''),
        field(11, Buffer.concat([field(1, 'app'), field(2, 'x')])),
      ]),
    );
    const data = field(2, Buffer.concat([field(1, 'key'), field(2, Buffer.from([0, 255]))]));
    expect(decodeProtobuf(envelope('v1', 'Secret', Buffer.concat([meta, data, field(3, 'Opaque')])))).toEqual(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', labels: { app: 'x' } },
        data: { key: 'AP8=' },
        type: 'Opaque',
      },
    );
    // Year 1, but not its very beginning: clients write such times in their tests.
    const early = field(4, Buffer.from('088292b8c398feffffff01', 'hex'));
    expect(decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', field(2, early)))).toMatchObject({
      spec: { renewTime: '0001-01-01T00:00:02.000000Z' },
    });
    const time = field(4, Buffer.concat([varint(1, 5), varint(2, 0x7f)]));
    expect(decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', field(2, time)))).toMatchObject({
      spec: { renewTime: '1970-01-01T00:00:05.000000Z' },
    });
    const transitions = Buffer.concat([varint(5, 0), varint(2, 0)]);
    expect(
      decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', field(2, transitions))),
      'pointers to zero',
    ).toMatchObject({ spec: { leaseTransitions: 0, leaseDurationSeconds: 0 } });
    const conditions = field(2, field(2, varint(1, 0)));
    expect(decodeProtobuf(envelope('discovery.k8s.io/v1', 'EndpointSlice', conditions))).toMatchObject({
      endpoints: [{ conditions: { ready: false } }],
    });
    const volume = field(1, Buffer.concat([field(1, 'v'), field(2, field(2, ''))]));
    const pod = decodeProtobuf(envelope('v1', 'Pod', field(2, volume)));
    expect(pod).toMatchObject({ spec: { volumes: [{ name: 'v', emptyDir: {} }] } });
    expect(decodeProtobuf(envelope('apps/v1', 'Deployment', field(2, varint(1, 0))))).toMatchObject({
      spec: { replicas: 0 },
    });
    expect(decodeProtobuf(envelope('v1', 'DeleteOptions', varint(1, 0)))).toMatchObject({
      gracePeriodSeconds: 0,
    });
  });

  it.each([
    ['no magic', Buffer.from('nope')],
    ['cut off', Buffer.concat([Buffer.from('k8s\0'), Buffer.from([0x0a, 0x7f, 1])])],
    ['endless number', Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(20, 0xff)])],
    ['unknown kind', envelope('v1', 'Nonsense', Buffer.alloc(0))],
  ])('refuses %s', (_name, body) => {
    expect(() => decodeProtobuf(body)).toThrow(expect.objectContaining({ code: 'API_REFUSED' }));
  });
});
