import type { IntOrString } from './meta.ts';
import type { PodSpec, ResourceRequirements } from './pod.ts';
import { canonicalQuantity } from '../api/schema/quantity.ts';
import { parseQuantity } from './quantity.ts';

/** Amounts by resource name in thousandths, so that sums of them are exact. */
export type Amounts = ReadonlyMap<string, number>;

/** What `quantity` is in thousandths, rounded up; 0 when it is none. */
export function milliOf(quantity: IntOrString | undefined): number {
  const value = parseQuantity(quantity) ?? 0;
  return Math.ceil(Math.round(value * 1e6) / 1e3);
}

/** The amount as Kubernetes writes it: sizes in the largest binary unit that fits, others in decimal ones. */
export function quantityOf(name: string, milli: number): string {
  const isSize = /(memory|storage|hugepages-.*)$/.test(name);
  const kibi = milli / (1000 * 1024);
  const text = isSize && Number.isInteger(kibi) ? `${kibi}Ki` : `${milli}m`;
  return canonicalQuantity(text) ?? text;
}

function add(into: Map<string, number>, more: Amounts): void {
  for (const [name, amount] of more) into.set(name, (into.get(name) ?? 0) + amount);
}

function raise(into: Map<string, number>, least: Amounts): void {
  for (const [name, amount] of least) into.set(name, Math.max(into.get(name) ?? 0, amount));
}

export function sumOf(all: Iterable<Amounts>): Amounts {
  const sum = new Map<string, number>();
  for (const amounts of all) add(sum, amounts);
  return sum;
}

/**
 * What a pod asks for in all: its containers and sidecars together, or the hungriest moment of its initialisation if that
 * is more.
 */
export function podAmounts(spec: PodSpec, which: keyof ResourceRequirements): Amounts {
  const of = (resources: ResourceRequirements | undefined) =>
    new Map(Object.entries(resources?.[which] ?? {}).map(([name, value]) => [name, milliOf(value)]));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const { restartPolicy, resources } of spec.initContainers ?? []) {
    if (restartPolicy === 'Always') add(sidecars, of(resources));
    else raise(peak, sumOf([sidecars, of(resources)]));
  }
  const running = sumOf([sidecars, ...spec.containers.map(({ resources }) => of(resources))]);
  raise(peak, running);
  const overhead = Object.entries(spec.overhead ?? {}).map(
    ([name, value]) => [name, milliOf(value)] as const,
  );
  add(peak, new Map(overhead));
  return peak;
}
