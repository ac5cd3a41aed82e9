import type { IntOrString } from '../../../kinds/meta.ts';
import type { Objects } from '../../../kinds/objects.ts';
import { milliOf, podAmounts, quantityOf } from '../../../kinds/pod-resources.ts';
import type { Amounts } from '../../../kinds/pod-resources.ts';
import type { Container, Pod } from '../../../kinds/pod.ts';
import type { LimitItem } from '../../../kinds/quota.ts';
import type { PersistentVolumeClaim } from '../../../kinds/storage.ts';
import { forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';

type Quantities = Readonly<Record<string, IntOrString>> | undefined;

function itemsOf(objects: Objects, namespace: string | undefined, type: string): LimitItem[] {
  return objects
    .list('limitranges', namespace)
    .flatMap(({ spec }) => spec.limits)
    .filter((item) => item.type === type);
}

const containersOf = ({ spec }: Pod): Container[] => [...(spec.initContainers ?? []), ...spec.containers];

/** Fills in what the namespace's limit ranges say for what a container leaves out. */
export function fillFromLimitRanges(objects: Objects, pod: Pod): void {
  for (const item of itemsOf(objects, pod.metadata.namespace, 'Container')) {
    for (const container of containersOf(pod)) {
      const limits = { ...item.default, ...container.resources?.limits };
      const requests = { ...item.defaultRequest, ...container.resources?.requests };
      container.resources = {
        ...container.resources,
        ...(Object.keys(limits).length > 0 ? { limits } : {}),
        ...(Object.keys(requests).length > 0 ? { requests } : {}),
      };
    }
  }
}

/** @throws ApiFault 403 with everything that is out of range */
export function checkPodLimits(objects: Objects, subject: Subject, pod: Pod): void {
  const { namespace, name } = pod.metadata;
  const problems = [
    ...itemsOf(objects, namespace, 'Container').flatMap((item) =>
      containersOf(pod).flatMap(({ resources }) =>
        outOfRange(item, amountsOf(resources?.requests), amountsOf(resources?.limits)),
      ),
    ),
    ...itemsOf(objects, namespace, 'Pod').flatMap((item) =>
      outOfRange(item, podAmounts(pod.spec, 'requests'), podAmounts(pod.spec, 'limits')),
    ),
  ];
  refuse(subject, name, problems);
}

/** @throws ApiFault 403 */
export function checkClaimLimits(objects: Objects, subject: Subject, claim: PersistentVolumeClaim): void {
  const { namespace, name } = claim.metadata;
  const requests = amountsOf(claim.spec.resources?.requests);
  const problems = itemsOf(objects, namespace, 'PersistentVolumeClaim').flatMap((item) =>
    outOfRange(item, requests, undefined),
  );
  refuse(subject, name, problems);
}

function refuse(subject: Subject, name: string, problems: readonly string[]): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  throw forbidden(subject, name, more.length === 0 ? first : `[${problems.join(', ')}]`);
}

function amountsOf(quantities: Quantities): Amounts {
  return new Map(Object.entries(quantities ?? {}).map(([name, value]) => [name, milliOf(value)]));
}

/** @param limits undefined: the thing has none, only its requests count */
function outOfRange(item: LimitItem, requests: Amounts, limits: Amounts | undefined): string[] {
  return [
    ...Object.entries(item.min ?? {}).map((bound) => tooLittle(item.type, bound, { requests, limits })),
    ...Object.entries(item.max ?? {}).map((bound) => tooMuch(item.type, bound, { requests, limits })),
    ...Object.entries(item.maxLimitRequestRatio ?? {}).map((bound) =>
      tooLoose(item.type, bound, { requests, limits }),
    ),
  ].flatMap((problem) => problem ?? []);
}

type Bound = readonly [name: string, value: IntOrString];
interface Asked {
  readonly requests: Amounts;
  readonly limits: Amounts | undefined;
}

function tooLittle(type: string, [name, value]: Bound, { requests, limits }: Asked): string | undefined {
  const least = milliOf(value);
  const words = `minimum ${name} usage per ${type} is ${quantityOf(name, least)}`;
  const request = requests.get(name);
  const limit = limits?.get(name);
  if (request === undefined) return `${words}.  No request is specified`;
  if (request < least) return `${words}, but request is ${quantityOf(name, request)}`;
  return limit !== undefined && limit < least
    ? `${words}, but limit is ${quantityOf(name, limit)}`
    : undefined;
}

function tooMuch(type: string, [name, value]: Bound, { requests, limits }: Asked): string | undefined {
  const most = milliOf(value);
  const words = `maximum ${name} usage per ${type} is ${quantityOf(name, most)}`;
  const request = requests.get(name);
  const limit = limits?.get(name);
  if (limits && limit === undefined) return `${words}.  No limit is specified`;
  if (limit !== undefined && limit > most) return `${words}, but limit is ${quantityOf(name, limit)}`;
  return request !== undefined && request > most
    ? `${words}, but request is ${quantityOf(name, request)}`
    : undefined;
}

function tooLoose(type: string, [name, value]: Bound, { requests, limits }: Asked): string | undefined {
  const most = milliOf(value);
  const words = `${name} max limit to request ratio per ${type} is ${quantityOf('ratio', most)}`;
  const request = requests.get(name);
  const limit = limits?.get(name);
  if (!request) return `${words}, but no request is specified or request is 0`;
  if (!limit) return `${words}, but no limit is specified or limit is 0`;
  const ratio = limit / request;
  return ratio * 1000 > most ? `${words}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
