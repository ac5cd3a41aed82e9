import type { StepRequest } from '../pipeline.ts';
import { plain } from '../tree.ts';
import type { MapTree } from '../tree.ts';
import { variableValue } from './common.ts';
import { anything, filledText, listOf, mapOf, record, refuse, report, text } from './readers.ts';
import type { Reader, Scope } from './readers.ts';
import { textOr } from './secrets.ts';

const gitStep = record(
  { url: filledText, rev: filledText, dir: text, file: text },
  { required: ['url', 'rev'] },
);
const ociStep = record(
  { registry: filledText, repository: filledText, tag: filledText, dir: text, file: text },
  { required: ['registry', 'repository', 'tag'] },
);
const source = textOr(record({ git: gitStep, oci: ociStep }));

const name: Reader<string> = (tree, scope) => {
  const read = filledText(tree, scope);
  if (read === undefined || /^[a-zA-Z_]\w*$/.test(read)) return read;
  return refuse(scope, tree, 'a name of letters, digits and _ that begins with no digit');
};

const fields = record(
  { name, script: text, step: source, func: source, env: mapOf(variableValue), inputs: mapOf(anything) },
  { required: ['name'] },
);

const KINDS = ['script', 'step', 'func'] as const;

const step: Reader<StepRequest> = (tree, scope) => {
  const read = fields(tree, scope);
  if (!read || tree.kind !== 'map') return undefined;
  checkKind(tree, scope);
  if (read.name === undefined) return undefined;
  const from = read.step ?? read.func;
  return {
    name: read.name,
    script: read.script,
    source: from === undefined ? undefined : sourceText(tree),
    env: Object.fromEntries(read.env ?? []),
  };
};

function checkKind(tree: MapTree, scope: Scope): void {
  const kinds = KINDS.filter((key) => tree.entries.has(key));
  if (kinds.length !== 1) {
    const message = `${scope.keyword} must have exactly one of ${KINDS.join(', ')}`;
    report(scope, 'conflicting-keywords', tree.at, message);
  }
  if (kinds[0] === 'script' && tree.entries.has('inputs')) {
    report(scope, 'conflicting-keywords', tree.at, `${scope.keyword}: a script takes no inputs`);
  }
  if (kinds.length === 1 && kinds[0] !== 'script') {
    const message = `${scope.keyword}:${kinds[0]} is taken from elsewhere, which cannot be done here: the job fails at this step`;
    report(scope, 'unsupported-keyword', tree.at, message);
  }
}

/** For the message: `./step.yml`, or the keys of `git` or `oci`. */
function sourceText(tree: MapTree): string {
  const written = tree.entries.get('step') ?? tree.entries.get('func');
  const value = written && plain(written.value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export const run: Reader<readonly StepRequest[]> = listOf(step, { min: 1 });
