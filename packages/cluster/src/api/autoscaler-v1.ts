import type { KubeObject } from '../store/types.ts';
import { recordAt } from './admission/members.ts';
import { checkShape } from './request.ts';
import { conform, isRecord } from './schema/conform.ts';
import { badRequest } from './status.ts';

type Members = Record<string, unknown>;

/** What version 1 has no fields for is kept in annotations, under the names and in the forms of upstream. */
const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const METRICS = `${PREFIX}metrics`;
const BEHAVIOR = `${PREFIX}behavior`;
const CURRENT = `${PREFIX}current-metrics`;
const CONDITIONS = `${PREFIX}conditions`;
const DEFINITION = 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler';

/** A HorizontalPodAutoscaler as `autoscaling/v1` shows it: the CPU alone is a field. */
export function toFirstVersion(object: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = (object.spec ?? {}) as Members;
  const { currentMetrics, conditions, ...status } = (object.status ?? {}) as Members;
  const cpu = records(metrics).find((metric) => utilization(metric, 'target') !== undefined);
  const others = records(metrics).filter((metric) => metric !== cpu);
  const current = records(currentMetrics);
  const annotations = {
    ...object.metadata.annotations,
    ...asText(
      METRICS,
      others.map((metric) => flat(metric, 'target')),
    ),
    ...(isRecord(behavior) ? { [BEHAVIOR]: JSON.stringify(renamed(behavior, capital)) } : {}),
    ...asText(
      CURRENT,
      current.map((metric) => flat(metric, 'current')),
    ),
    ...asText(CONDITIONS, records(conditions)),
  };
  const target = cpu && utilization(cpu, 'target');
  const used = current.flatMap((metric) => utilization(metric, 'current') ?? []).at(0);
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: Object.keys(annotations).length > 0 ? { ...object.metadata, annotations } : object.metadata,
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      currentReplicas: 0,
      ...status,
      ...(used === undefined ? {} : { currentCPUUtilizationPercentage: used }),
    },
  };
}

/** The inverse. @throws ApiFault 400 for annotations that hold something else than they should */
export function fromFirstVersion(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = (object.spec ?? {}) as Members;
  const { currentCPUUtilizationPercentage: used, ...status } = (object.status ?? {}) as Members;
  const annotations = { ...object.metadata.annotations };
  const read = (name: string) => {
    const value = parsed(name, annotations[name]);
    delete annotations[name];
    return value;
  };
  const behavior = read(BEHAVIOR);
  const metrics = [
    ...(target === undefined ? [] : [cpuMetric('target', target)]),
    ...records(read(METRICS)).map((metric) => deep(metric, 'target')),
  ];
  const kept = records(read(CURRENT)).map((metric) => deep(metric, 'current'));
  const currentMetrics = kept.length > 0 || used === undefined ? kept : [cpuMetric('current', used)];
  const conditions = records(read(CONDITIONS));
  const metadata = { ...object.metadata, annotations };
  if (Object.keys(annotations).length === 0) delete (metadata as Partial<typeof metadata>).annotations;
  const result = {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata,
    spec: {
      ...spec,
      ...(metrics.length > 0 ? { metrics } : {}),
      ...(isRecord(behavior) ? { behavior: renamed(behavior, small) } : {}),
    },
    status: {
      ...status,
      ...(currentMetrics.length > 0 ? { currentMetrics } : {}),
      ...(conditions.length > 0 ? { conditions } : {}),
    },
  };
  return conform(DEFINITION, result, object.kind).object as unknown as KubeObject;
}

const records = (value: unknown): Members[] => (Array.isArray(value) ? value.filter(isRecord) : []);

const asText = (name: string, values: readonly Members[]) =>
  values.length > 0 ? { [name]: JSON.stringify(values) } : {};

function parsed(name: string, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return checkShape(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw badRequest(`metadata.annotations[${name}]: ${error.message}`);
  }
}

type Word = 'target' | 'current';

/** What it says about the share of the CPU; undefined when it is about something else. */
function utilization(metric: Members, word: Word): unknown {
  const resource = recordAt(metric, 'resource');
  return resource['name'] === 'cpu' ? recordAt(resource, word)['averageUtilization'] : undefined;
}

function cpuMetric(word: Word, averageUtilization: unknown): Members {
  const type = word === 'target' ? { type: 'Utilization' } : {};
  return { type: 'Resource', resource: { name: 'cpu', [word]: { ...type, averageUtilization } } };
}

const MEMBERS: Readonly<Record<string, string>> = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
};

/** How version 1 calls an amount of a metric: `targetAverageValue`, but for objects simply `averageValue`. */
const flatName = (type: string, word: Word, amount: string) =>
  type === 'Object' && amount === 'averageValue' ? amount : word + capital(amount);
const AMOUNTS = ['averageUtilization', 'averageValue', 'value'] as const;
const KINDS = { averageUtilization: 'Utilization', averageValue: 'AverageValue', value: 'Value' } as const;
const selectorName = (type: string) => (type === 'External' ? 'metricSelector' : 'selector');

/** A metric in the flat form of version 1. */
function flat(metric: Members, word: Word): Members {
  const type = String(metric['type']);
  const member = MEMBERS[type] ?? '';
  const { metric: what, describedObject, [word]: amounts, ...rest } = recordAt(metric, member);
  const { name, selector } = isRecord(what) ? what : {};
  const named = Object.entries(isRecord(amounts) ? amounts : {})
    .filter(([key]) => key !== 'type')
    .map(([key, value]) => [flatName(type, word, key), value]);
  const result = {
    ...rest,
    ...(describedObject === undefined ? {} : { target: describedObject }),
    ...(name === undefined ? {} : { metricName: name }),
    ...(selector === undefined ? {} : { [selectorName(type)]: selector }),
    ...Object.fromEntries(named),
  };
  return { type, [member]: result };
}

/** The inverse of `flat`. */
function deep(metric: Members, word: Word): Members {
  const type = String(metric['type']);
  const member = MEMBERS[type] ?? '';
  const rest = { ...recordAt(metric, member) };
  const take = (name: string) => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const amounts = AMOUNTS.flatMap((amount) => {
    const value = take(flatName(type, word, amount));
    return value === undefined ? [] : [[amount, value] as const];
  });
  const [first] = amounts;
  const kind = word === 'target' && first ? { type: KINDS[first[0]] } : {};
  const [name, selector, described] = [take('metricName'), take(selectorName(type)), take('target')];
  const what = { name, ...(selector === undefined ? {} : { selector }) };
  const result = {
    ...rest,
    ...(described === undefined ? {} : { describedObject: described }),
    ...(name === undefined ? {} : { metric: what }),
    [word]: { ...kind, ...Object.fromEntries(amounts) },
  };
  return { type, [member]: result };
}

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const small = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

/** The same with every member's name changed. */
function renamed(value: unknown, change: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [change(key), renamed(inner, change)]),
  );
}
