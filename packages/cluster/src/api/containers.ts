import type { KubeObject } from '../store/types.ts';
import { recordAt, recordsAt, textAt } from './admission/members.ts';
import type { Members } from './admission/members.ts';
import { badRequest } from './status.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/**
 * The container that a request about a pod means.
 * @throws ApiFault 400 when it names none and there are several, or one that the pod does not have
 */
export function chooseContainer(pod: KubeObject, asked: string | null): string {
  const { name } = pod.metadata;
  const namesIn = (list: string) => recordsAt(pod.spec, list).map((each) => textAt(each, 'name') ?? '');
  const [names, inits, ephemerals] = [
    namesIn('containers'),
    namesIn('initContainers'),
    namesIn('ephemeralContainers'),
  ];
  if (asked) {
    if (names.includes(asked) || inits.includes(asked) || ephemerals.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [first, ...others] = names;
  if (first !== undefined && others.length === 0) return first;
  const preferred = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  if (preferred && names.includes(preferred)) return preferred;
  const choice = `choose one of: [${names.join(' ')}]`;
  const more = inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, ${choice}${more}`);
}

const LISTS = ['containers', 'initContainers', 'ephemeralContainers'];

/** Whether a container was given a terminal. */
export function hasTerminal(pod: KubeObject, container: string): boolean {
  const all = LISTS.flatMap((list) => recordsAt(pod.spec, list));
  return all.find((each) => each['name'] === container)?.['tty'] === true;
}

/** The status of one container; empty when the kubelet has reported none. */
export function containerStatus(pod: KubeObject, container: string): Members {
  const all = [
    ...recordsAt(pod.status, 'containerStatuses'),
    ...recordsAt(pod.status, 'initContainerStatuses'),
    ...recordsAt(pod.status, 'ephemeralContainerStatuses'),
  ];
  return all.find((each) => each['name'] === container) ?? {};
}

/** @throws ApiFault 400 while nothing of the container can be read */
export function checkHasRun(pod: KubeObject, container: string, previous: boolean): void {
  const { name } = pod.metadata;
  const status = containerStatus(pod, container);
  const ended = recordAt(status, 'lastState')['terminated'] !== undefined;
  if (previous) {
    if (ended) return;
    throw badRequest(
      `previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} not found`,
    );
  }
  const state = recordAt(status, 'state');
  if (state['running'] !== undefined || state['terminated'] !== undefined || ended) return;
  const reason = textAt(recordAt(state, 'waiting'), 'reason') ?? 'ContainerCreating';
  const about = `container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} is`;
  const words = /Err|Invalid|BackOff/.test(reason)
    ? `${about} waiting to start: ${explain(reason)}`
    : `${about} waiting to start: ${reason}`;
  throw badRequest(words);
}

function explain(reason: string): string {
  return reason.includes('Image') || reason.includes('ErrImage')
    ? `trying and failing to pull image`
    : reason;
}
