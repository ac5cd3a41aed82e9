import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../store/types.ts';
import { numberAt, recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';

type Rule = (spec: Members, before: Members, problems: Problems) => void;

/** Fields of a pod that may change, each in its own way. */
const MUTABLE: Readonly<Record<string, Rule>> = {
  activeDeadlineSeconds: deadlineShrinks,
  schedulingGates: gatesGo,
  tolerations: tolerationsGrow,
  // Whoever binds a pod by hand may do it by a patch.
  nodeName: () => {},
  nodeSelector: selectorGrows,
};

/** A pod stays what it was made as, but for its images and what may be asked of it later. */
export function validatePodChange(object: KubeObject, before: KubeObject, problems: Problems): void {
  const [now, then] = [object.spec ?? {}, before.spec ?? {}];
  for (const rule of Object.values(MUTABLE)) rule(now, then, problems);
  if (isDeepStrictEqual(identity(now), identity(then))) return;
  problems.forbidden(
    'spec',
    'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
  );
}

function identity(spec: Members): Members {
  const rest = Object.entries(spec).filter(([key]) => !Object.hasOwn(MUTABLE, key));
  return Object.fromEntries(
    rest.map(([key, value]) => [
      key,
      key === 'containers' || key === 'initContainers' ? withoutImages(value) : value,
    ]),
  );
}

function withoutImages(list: unknown): unknown {
  return Array.isArray(list) ? list.map((container) => ({ ...(container as Members), image: '' })) : list;
}

function deadlineShrinks(spec: Members, before: Members, problems: Problems): void {
  const field = 'activeDeadlineSeconds';
  const [now, then] = [numberAt(spec, field), numberAt(before, field)];
  if (then === undefined || now === then) return;
  if (now === undefined)
    problems.invalid(`spec.${field}`, null, 'must not update from a positive integer to nil value');
  else if (now > then) problems.invalid(`spec.${field}`, now, 'must be less than or equal to previous value');
}

function gatesGo(spec: Members, before: Members, problems: Problems): void {
  const known = new Set(gates(before));
  for (const name of gates(spec).filter((one) => !known.has(one)))
    problems.forbidden(
      'spec.schedulingGates',
      `only deletion is allowed, but found new scheduling gate '${name}'`,
    );
}

const gates = (spec: Members) => recordsAt(spec, 'schedulingGates').map((gate) => textAt(gate, 'name') ?? '');

function tolerationsGrow(spec: Members, before: Members, problems: Problems): void {
  const now = recordsAt(spec, 'tolerations').map(timeless);
  const kept = (one: Members) => now.some((other) => isDeepStrictEqual(other, timeless(one)));
  if (recordsAt(before, 'tolerations').every(kept)) return;
  problems.forbidden(
    'spec.tolerations',
    'existing toleration can not be modified except its tolerationSeconds',
  );
}

function timeless({ tolerationSeconds: _seconds, ...toleration }: Members): Members {
  return toleration;
}

/** While a pod is held back its choice of nodes may become narrower. */
function selectorGrows(spec: Members, before: Members, problems: Problems): void {
  const [now, then] = [recordAt(spec, 'nodeSelector'), recordAt(before, 'nodeSelector')];
  if (isDeepStrictEqual(now, then)) return;
  if (gates(before).length === 0) problems.forbidden('spec.nodeSelector', 'field is immutable');
  else if (Object.entries(then).some(([key, value]) => now[key] !== value))
    problems.invalid(
      'spec.nodeSelector',
      now,
      'only additions are allowed to spec.nodeSelector (no mutations or deletions)',
    );
}
