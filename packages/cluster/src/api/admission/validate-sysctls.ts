import { recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';

const LONGEST = 253;
const FORM = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`;
const PART = /^[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/;

/** The names of the kernel settings that a pod asks for; whether it may have them is the kubelet's to say. */
export function validateSysctls(path: string, spec: Members, problems: Problems): void {
  const seen = new Set<string>();
  for (const [index, sysctl] of recordsAt(recordAt(spec, 'securityContext'), 'sysctls').entries()) {
    const at = `${path}.securityContext.sysctls[${index}].name`;
    const name = textAt(sysctl, 'name') ?? '';
    if (!name) problems.required(at);
    else if (name.length > LONGEST || !name.split(/[./]/).every((part) => PART.test(part)))
      problems.invalid(at, name, `must have at most ${LONGEST} characters and match regex ${FORM}`);
    else if (seen.has(name)) problems.duplicate(at, name);
    seen.add(name);
  }
}
