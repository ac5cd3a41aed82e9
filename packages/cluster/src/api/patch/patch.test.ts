import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment';
const SERVICE = 'io.k8s.api.core.v1.Service';

const containers = (list: unknown[], more: object = {}) => ({
  spec: { template: { spec: { containers: list, ...more } } },
});
const merge = (target: unknown, patch: unknown) => applyStrategicMerge(target, patch, DEPLOYMENT);

describe('JSON patch', () => {
  const target = { a: { b: [1, 2, 3] }, 'x/y': 1 };
  it('adds, removes, replaces, moves, copies, tests', () => {
    const result = applyJsonPatch(target, [
      { op: 'test', path: '/x~1y', value: 1 },
      { op: 'add', path: '/a/b/1', value: 9 },
      { op: 'add', path: '/a/b/-', value: 4 },
      { op: 'remove', path: '/a/b/0' },
      { op: 'copy', from: '/a/b', path: '/c' },
      { op: 'move', from: '/x~1y', path: '/z' },
      { op: 'replace', path: '/z', value: null },
    ]);
    expect(result).toEqual({ a: { b: [9, 2, 3, 4] }, c: [9, 2, 3, 4], z: null });
    expect(target.a.b).toEqual([1, 2, 3]);
  });
  it.each([
    [[{ op: 'test', path: '/a/b', value: [] }]],
    [[{ op: 'remove', path: '/nope' }]],
    [[{ op: 'replace', path: '/a/b/9', value: 1 }]],
    [[{ op: 'add', path: '/a/b/01', value: 1 }]],
    [[{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
    [[{ op: 'nonsense', path: '/a' }]],
    [{}],
  ])('refuses %j', (patch) => {
    expect(() => applyJsonPatch(target, patch)).toThrow(expect.objectContaining({ name: 'PatchProblem' }));
  });
});

describe('merge patch', () => {
  it('merges objects, deletes by null, replaces lists', () => {
    expect(applyMergePatch({ a: { b: 1, c: 2 }, l: [1] }, { a: { b: null, d: 3 }, l: [2] })).toEqual({
      a: { c: 2, d: 3 },
      l: [2],
    });
    expect(applyMergePatch({}, JSON.parse('{"__proto__": {"x": 1}}'))).toEqual({});
  });
});

describe('strategic merge', () => {
  it('merges lists by their key and keeps the order of the rest', () => {
    const target = containers([
      { name: 'a', image: '1' },
      { name: 'b', image: '1' },
    ]);
    expect(
      merge(
        target,
        containers([
          { name: 'b', image: '2' },
          { name: 'c', image: '3' },
        ]),
      ),
    ).toEqual(
      containers([
        { name: 'a', image: '1' },
        { name: 'b', image: '2' },
        { name: 'c', image: '3' },
      ]),
    );
  });

  it('orders by $setElementOrder; what only the server has keeps its place', () => {
    const target = containers([{ name: 'server' }, { name: 'a' }, { name: 'b' }]);
    const patch = containers([{ name: 'b', image: '2' }], {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
    });
    const result = merge(target, patch) as ReturnType<typeof containers>;
    expect((result.spec.template.spec.containers as { name: string }[]).map((each) => each.name)).toEqual([
      'server',
      'b',
      'a',
    ]);
  });

  it('deletes items, replaces lists and objects, retains keys', () => {
    const target = containers([{ name: 'a' }, { name: 'b' }]);
    expect(merge(target, containers([{ name: 'a', $patch: 'delete' }]))).toEqual(containers([{ name: 'b' }]));
    expect(merge(target, containers([{ name: 'z' }, { $patch: 'replace' }]))).toEqual(
      containers([{ name: 'z' }]),
    );
    const rolling = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
    const recreate = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
    expect(merge(rolling, recreate)).toEqual({ spec: { strategy: { type: 'Recreate' } } });
    expect(merge({ spec: { a: 1 } }, { spec: { $patch: 'replace', b: 2 } })).toEqual({ spec: { b: 2 } });
    expect(merge({ metadata: { labels: { a: 'b' } } }, { metadata: { labels: null } })).toEqual({
      metadata: {},
    });
  });

  it('treats lists of scalars as sets where the schema says so, and replaces the others', () => {
    const target = { metadata: { finalizers: ['a', 'b'] } };
    expect(merge(target, { metadata: { finalizers: ['c'] } })).toEqual({
      metadata: { finalizers: ['a', 'b', 'c'] },
    });
    expect(merge(target, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } })).toEqual({
      metadata: { finalizers: ['b'] },
    });
    expect(
      merge(containers([{ name: 'a', args: ['1', '2'] }]), containers([{ name: 'a', args: ['3'] }])),
    ).toEqual(containers([{ name: 'a', args: ['3'] }]));
  });

  it('needs the merge key of each item', () => {
    expect(() => applyStrategicMerge({}, { spec: { ports: [{ name: 'x' }] } }, SERVICE)).toThrow(
      'does not contain declared merge key: port',
    );
  });
});
