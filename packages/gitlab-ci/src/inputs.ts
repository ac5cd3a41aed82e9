import type { RuleContext } from './conditions.ts';
import type { Problems } from './problems.ts';
import { child } from './tree.ts';
import type { MapTree, SourceFile, Tree } from './tree.ts';

export interface HeaderRequest {
  readonly documents: readonly Tree[];
  readonly source: SourceFile;
  /** `include:inputs` of the entry that brought the file in. */
  readonly passed: MapTree | undefined;
  readonly problems: Problems;
  readonly rules: RuleContext;
}

/** The configuration proper of a file: its `spec` header taken off and its inputs put in. */
export function applyHeader({ documents, problems }: HeaderRequest): Tree | undefined {
  const [first, second] = documents;
  const spec = documents.length > 1 ? child(first, 'spec') : undefined;
  if (!spec) return first;
  problems.add('input-invalid', spec.at, 'spec:inputs is not supported yet');
  return second;
}
