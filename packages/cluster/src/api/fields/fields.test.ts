import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../store/types.ts';
import { RESOURCES } from '../resources.ts';
import type { ServedResource } from '../resources.ts';
import { compareFields, fieldsOf, fromFieldsV1, toFieldsV1, withoutFields } from './field-set.ts';
import { applyFields, trackUpdate } from './managed-fields.ts';

const type = RESOURCES.find(({ kind }) => kind === 'Service') as ServedResource;
const DEFINITION = type.definition;

function service(ports: object[], extra: object = {}): KubeObject {
  const metadata = { name: 's', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports, ...extra } };
}

const dotted = (set: Iterable<string>) => [...set].map((key) => key.replaceAll('\u0000', '/'));
const writer = (manager: string) => ({ manager, time: '2026-01-01T00:00:00Z' });
const apply = (live: KubeObject | undefined, applied: KubeObject, manager: string, force = false) =>
  applyFields(type, live, applied, { writer: writer(manager), force, finish: (object) => object });

describe('field sets', () => {
  it('names leaves, keyed items and atoms, but not what the server writes', () => {
    expect(
      dotted(fieldsOf(service([{ port: 80 }], { selector: { a: 'b' }, externalIPs: ['1'] }), DEFINITION)),
    ).toEqual([
      'f:spec/f:ports/k:{"port":80,"protocol":"TCP"}',
      'f:spec/f:ports/k:{"port":80,"protocol":"TCP"}/f:port',
      'f:spec/f:selector',
      'f:spec/f:externalIPs',
    ]);
  });

  it('survives FieldsV1 and back, whatever a client writes there', () => {
    const set = fieldsOf(service([{ port: 80, name: 'x' }]), DEFINITION);
    expect(fromFieldsV1(toFieldsV1(set))).toEqual(set);
    expect(fromFieldsV1({ 'k:{': {}, nonsense: {}, 'f:ok': {} })).toEqual(new Set(['f:ok']));
    expect(fromFieldsV1('text')).toEqual(new Set());
  });

  it('tells what changed and what went', () => {
    const { changed, removed } = compareFields(
      service([{ port: 80, targetPort: 1 }, { port: 81 }]),
      service([{ port: 80, targetPort: 2 }]),
      DEFINITION,
    );
    expect(dotted(changed)).toEqual(['f:spec/f:ports/k:{"port":80,"protocol":"TCP"}/f:targetPort']);
    expect(dotted(removed)).toContain('f:spec/f:ports/k:{"port":81,"protocol":"TCP"}');
  });

  it('takes fields away with the containers they leave empty', () => {
    const object = { spec: { ports: [{ port: 80 }], x: 1 } };
    const keys = [
      'f:spec\u0000f:ports\u0000k:{"port":80,"protocol":"TCP"}\u0000f:port',
      'f:spec\u0000f:ports\u0000k:{"port":80,"protocol":"TCP"}',
    ];
    expect(withoutFields(object, keys)).toEqual({ spec: { x: 1 } });
  });
});

describe('server-side apply', () => {
  it('gives back the stored object itself when nothing is new', () => {
    const first = apply(undefined, service([{ port: 80 }]), 'me');
    expect(apply(first, service([{ port: 80 }]), 'me')).toBe(first);
  });

  it('shares fields of equal value and removes only what nobody else owns', () => {
    const both = apply(
      apply(undefined, service([{ port: 80 }, { port: 81 }]), 'one'),
      service([{ port: 81 }]),
      'two',
    );
    const less = apply(both, service([]), 'one');
    expect(less.spec).toEqual({ ports: [{ port: 81 }] });
  });

  it('conflicts with a manager that updated, unless forced', () => {
    const first = apply(undefined, service([{ port: 80, targetPort: 1 }]), 'me');
    const changed = trackUpdate(type, writer('kubectl-edit'), {
      before: first,
      after: { ...first, ...service([{ port: 80, targetPort: 2 }]), metadata: first.metadata },
    });
    const again = service([{ port: 80, targetPort: 1 }]);
    expect(() => apply(changed, again, 'me')).toThrow(
      'conflict with "kubectl-edit" using v1: .spec.ports[port=80,protocol="TCP"].targetPort',
    );
    expect(apply(changed, again, 'me', true).spec).toEqual(again.spec);
  });

  describe('after kubectl applied on its own side', () => {
    const KEY = 'kubectl.kubernetes.io/last-applied-configuration';
    const manifest = (targetPort: number) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'n', annotations: {} },
      spec: { ports: [{ port: 80, targetPort }] },
    });
    const live = (isChanged: boolean) => {
      const object = service([{ port: 80, targetPort: 1 }]);
      object.metadata.annotations = { [KEY]: JSON.stringify(manifest(1)) };
      const first = trackUpdate(type, writer('kubectl-client-side-apply'), {
        before: undefined,
        after: object,
      });
      if (!isChanged) return first;
      const after = { ...structuredClone(first), spec: { ports: [{ port: 80, targetPort: 7 }] } };
      return trackUpdate(type, writer('somebody'), { before: first, after });
    };

    it('kubectl takes over what it applied, and keeps the annotation true', () => {
      const applied = apply(live(false), service([{ port: 80, targetPort: 2 }]), 'kubectl');
      expect(applied.spec).toEqual({ ports: [{ port: 80, targetPort: 2 }] });
      const annotation = applied.metadata.annotations?.[KEY] ?? '';
      expect(JSON.parse(annotation)).toMatchObject({ spec: { ports: [{ targetPort: 2 }] } });
      expect(annotation.indexOf('"apiVersion"')).toBe(1);
      expect(annotation).not.toContain(KEY);
    });

    it('others do not, and nobody takes what somebody has changed since', () => {
      const wanted = service([{ port: 80, targetPort: 2 }]);
      expect(() => apply(live(false), wanted, 'other')).toThrow('conflict with "kubectl-client-side-apply"');
      expect(() => apply(live(true), wanted, 'kubectl')).toThrow('conflict with "somebody"');
    });
  });
});
