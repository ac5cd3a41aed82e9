import { isRecord } from '../schema/conform.ts';

type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'where'; readonly path: readonly string[]; readonly value: string };

const STEP =
  /^(?:\.((?:[^.[\]\\]|\\.)+)|\[['"]([^'"\]]+)['"]\]|\[(-?\d+)\]|\[(\*)\]|\[\?\(\s*@\.([\w.-]+)\s*==\s*['"]([^'"]*)['"]\s*\)\])/;

/**
 * The simple JSON paths of printer columns and scale subresources: `.spec.a`, `.a\.b`, `['a']`, `[0]`, `[*]`,
 * `[?(@.type=="Ready")]`. undefined: it is none.
 */
export function parseJsonPath(text: string): readonly Step[] | undefined {
  let rest = text.trim().replace(/^\{(.*)\}$/, '$1');
  if (!rest.startsWith('.') && !rest.startsWith('[')) rest = `.${rest}`;
  const steps: Step[] = [];
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (!match) return undefined;
    steps.push(toStep(match));
    rest = rest.slice(match[0].length);
  }
  return steps;
}

function toStep([, plain, quoted, index, all, where, value]: RegExpExecArray): Step {
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  if (all !== undefined) return { kind: 'all' };
  if (where !== undefined) return { kind: 'where', path: where.split('.'), value: value ?? '' };
  const name = quoted ?? (plain ?? '').replaceAll(/\\(.)/g, '$1');
  return name === '*' ? { kind: 'all' } : { kind: 'member', name };
}

/** Everything that the path leads to. */
export function findByPath(value: unknown, steps: readonly Step[]): unknown[] {
  return steps.reduce<unknown[]>((found, step) => found.flatMap((each) => follow(each, step)), [value]);
}

function follow(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'member':
      return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index': {
      const item = Array.isArray(value) ? (value.at(step.index) as unknown) : undefined;
      return item === undefined ? [] : [item];
    }
    case 'all':
      return Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
    default:
      return (Array.isArray(value) ? value : []).filter(
        (item) => String(memberAt(item, step.path)) === step.value,
      );
  }
}

function memberAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined),
    value,
  );
}

/** The value with something else where a path of members leads; what is missing on the way is made. */
export function withValueAt(value: unknown, steps: readonly Step[], wanted: unknown): unknown {
  const [step, ...rest] = steps;
  if (!step) return wanted;
  if (step.kind !== 'member') return value;
  const owner = isRecord(value) ? value : {};
  const present = Object.hasOwn(owner, step.name) ? owner[step.name] : undefined;
  return { ...owner, [step.name]: withValueAt(present, rest, wanted) };
}
