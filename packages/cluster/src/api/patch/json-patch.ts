import { isDeepStrictEqual } from 'node:util';

export class PatchProblem extends Error {
  override readonly name = 'PatchProblem';
}

interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

type Container = Record<string, unknown> | unknown[];

const MAX_OPERATIONS = 10_000;
/** What copies may add: a copy of a copy of a copy soon fills any memory. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

interface Holder {
  root: unknown;
  copiedBytes: number;
}

/** RFC 6902 on a copy of `target`. @throws PatchProblem */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PatchProblem('a JSON patch is a list of operations');
  if (patch.length > MAX_OPERATIONS) throw new PatchProblem(`more than ${MAX_OPERATIONS} operations`);
  // Inside a holder even the root can be replaced.
  const holder: Holder = { root: structuredClone(target), copiedBytes: 0 };
  for (const operation of patch as Operation[]) applyOperation(holder, operation);
  return holder.root;
}

function applyOperation(holder: Holder, operation: Operation): void {
  const path = pointer(operation.path);
  switch (operation.op) {
    case 'add':
      return add(holder, path, structuredClone(operation.value));
    case 'remove':
      return void remove(holder, path);
    case 'replace':
      remove(holder, path);
      return add(holder, path, structuredClone(operation.value));
    case 'move':
      return add(holder, path, remove(holder, pointer(operation.from)));
    case 'copy':
      return add(holder, path, copied(holder, read(holder, pointer(operation.from))));
    case 'test':
      if (!isDeepStrictEqual(read(holder, path), operation.value)) {
        throw new PatchProblem(`testing value ${operation.path} failed`);
      }
      return;
    default:
      throw new PatchProblem(`unexpected kind of operation: ${String((operation as { op?: unknown }).op)}`);
  }
}

function copied(holder: Holder, value: unknown): unknown {
  const text = JSON.stringify(value);
  holder.copiedBytes += text.length;
  if (holder.copiedBytes > MAX_COPIED_BYTES)
    throw new PatchProblem(`its copies would add more than ${MAX_COPIED_BYTES} bytes`);
  return JSON.parse(text) as unknown;
}

function pointer(text: unknown): string[] {
  if (text === '') return [];
  if (typeof text !== 'string' || !text.startsWith('/')) throw new PatchProblem('a path begins with "/"');
  const parts = text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (parts.includes('__proto__')) throw new PatchProblem('that path is not allowed');
  return parts;
}

function read(holder: { root: unknown }, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, part) => {
    if (Array.isArray(at)) return at[index(at, part, at.length - 1)];
    if (isContainer(at) && Object.hasOwn(at, part)) return at[part];
    throw missing(path);
  }, holder.root);
}

function parentOf(holder: { root: unknown }, path: readonly string[]): { parent: Container; key: string } {
  const key = path.at(-1);
  if (key === undefined) return { parent: holder, key: 'root' };
  const parent = read(holder, path.slice(0, -1));
  if (!isContainer(parent) && !Array.isArray(parent)) throw missing(path);
  return { parent: parent as Container, key };
}

function add(holder: { root: unknown }, path: readonly string[], value: unknown): void {
  const { parent, key } = parentOf(holder, path);
  if (!Array.isArray(parent)) parent[key] = value;
  else parent.splice(key === '-' ? parent.length : index(parent, key, parent.length), 0, value);
}

function remove(holder: { root: unknown }, path: readonly string[]): unknown {
  const { parent, key } = parentOf(holder, path);
  if (Array.isArray(parent)) return parent.splice(index(parent, key, parent.length - 1), 1)[0];
  if (!Object.hasOwn(parent, key)) throw missing(path);
  const value = parent[key];
  delete parent[key];
  return value;
}

function index(list: readonly unknown[], part: string, highest: number): number {
  const place = /^(0|[1-9]\d*)$/.test(part) ? Number(part) : Number.NaN;
  if (!(place <= highest)) throw new PatchProblem(`invalid index ${part} of a list of ${list.length}`);
  return place;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function missing(path: readonly string[]): PatchProblem {
  return new PatchProblem(`the path /${path.join('/')} does not exist`);
}
