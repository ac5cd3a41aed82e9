import { numberAt, recordAt, recordsAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';

const HOOKS = ['postStart', 'preStop'];
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'sleep'];

/** The lifecycle hooks of a pod's containers: one handler each, and no sleep that the pod's end would cut short. */
export function validateHooks(path: string, spec: Members, problems: Problems): void {
  const grace = numberAt(spec, 'terminationGracePeriodSeconds') ?? Number.POSITIVE_INFINITY;
  for (const list of ['initContainers', 'containers']) {
    for (const [index, container] of recordsAt(spec, list).entries()) {
      const lifecycle = recordAt(container, 'lifecycle');
      for (const hook of HOOKS.filter((name) => lifecycle[name] !== undefined)) {
        const at = `${path}.${list}[${index}].lifecycle.${hook}`;
        validateHook(at, recordAt(lifecycle, hook), { grace, problems });
      }
    }
  }
}

function validateHook(
  at: string,
  hook: Members,
  { grace, problems }: { readonly grace: number; readonly problems: Problems },
): void {
  const given = HANDLERS.filter((handler) => hook[handler] !== undefined);
  if (given.length === 0) problems.required(at, 'must specify a handler type');
  if (given.length > 1) problems.forbidden(`${at}.${given[1]}`, 'may not specify more than 1 handler type');
  if (hook['sleep'] === undefined) return;
  const seconds = numberAt(recordAt(hook, 'sleep'), 'seconds') ?? 0;
  if (seconds >= 0 && seconds <= grace) return;
  const why = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
  problems.invalid(`${at}.sleep`, seconds, why);
}
