import type { RuleContext } from './conditions.ts';
import { evaluate, isTruthy } from './expression/evaluate.ts';
import { compileRegex } from './expression/regex.ts';
import { interpolate } from './interpolate.ts';
import { describe } from './keywords/readers.ts';
import { fitsType, spec as specReader } from './keywords/spec.ts';
import type { InputDefinition } from './keywords/spec.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { isNull, plain } from './tree.ts';
import type { Entry, MapTree, Mark, SourceFile, Tree } from './tree.ts';

export interface HeaderRequest {
  readonly documents: readonly Tree[];
  readonly source: SourceFile;
  /** `include:inputs` of the entry that brought the file in. */
  readonly passed: MapTree | undefined;
  readonly includedAt: Mark | undefined;
  readonly problems: Problems;
  readonly rules: RuleContext;
}

/** The configuration proper of a file: its `spec` header taken off and its inputs put in. */
export function applyHeader(request: HeaderRequest): Tree | undefined {
  const [first, second] = request.documents;
  const header = second && first?.kind === 'map' ? first.entries.get('spec') : undefined;
  if (!second || !header) {
    refuseInputs(request);
    return first;
  }
  const inputs = new Inputs(readSpec(header, request), request).values();
  return interpolate(second, { inputs, problems: request.problems, variable: request.rules.variable });
}

function refuseInputs({ passed, problems, source }: HeaderRequest): void {
  for (const entry of passed?.entries.values() ?? []) {
    problems.add('input-invalid', entry.at, `${source.path} declares no inputs, but ${entry.key} is given`);
  }
}

function readSpec(header: Entry, { problems, source }: HeaderRequest): ReadonlyMap<string, InputDefinition> {
  if (isNull(header.value)) return new Map();
  const spec = specReader(header.value, { problems, subject: source.path, keyword: 'spec' });
  if (spec?.include) {
    const message = `${source.path}: spec:include has no effect here: declare the inputs in this file`;
    problems.add('unsupported-keyword', header.at, message);
  }
  return spec?.inputs ?? new Map();
}

/** Finds the value of every declared input. */
class Inputs {
  readonly #declared: ReadonlyMap<string, InputDefinition>;
  readonly #request: HeaderRequest;
  readonly #values = new Map<string, Tree>();

  constructor(declared: ReadonlyMap<string, InputDefinition>, request: HeaderRequest) {
    this.#declared = declared;
    this.#request = request;
  }

  values(): ReadonlyMap<string, Tree> {
    const { passed, problems, source } = this.#request;
    for (const entry of passed?.entries.values() ?? []) {
      if (this.#declared.has(entry.key)) continue;
      const message = `${source.path} declares no input ${entry.key}`;
      problems.add('input-invalid', entry.at, message, nearest(entry.key, this.#declared.keys()));
    }
    for (const [name, definition] of this.#declared) this.#settle(name, definition);
    return this.#values;
  }

  #settle(name: string, definition: InputDefinition): void {
    const { passed, problems, source, includedAt } = this.#request;
    const ruled = this.#ruled(definition);
    const given = passed?.entries.get(name)?.value;
    const value = given ?? ruled.default;
    if (!value) {
      problems.add(
        'input-invalid',
        includedAt ?? definition.at,
        `${source.path} needs the input ${name}, which is not given`,
      );
      return;
    }
    const why = whyUnfit(value, { ...definition, options: ruled.options });
    if (why === undefined) this.#values.set(name, value);
    else
      problems.add(
        'input-invalid',
        given ? value.at : definition.at,
        `${source.path}: the input ${name} ${why}`,
      );
  }

  /** The first rule that holds supplies options and default; it may ask for inputs declared above. */
  #ruled(definition: InputDefinition): Pick<InputDefinition, 'default' | 'options'> {
    if (!definition.rules) return definition;
    const context = {
      variable: this.#request.rules.variable,
      input: (name: string) => {
        const value = this.#values.get(name);
        return value?.kind === 'leaf' ? value.text : undefined;
      },
    };
    const rule = definition.rules.find((one) => !one.condition || isTruthy(evaluate(one.condition, context)));
    return { default: rule?.default, options: rule?.options };
  }
}

function whyUnfit(value: Tree, { type, options, regex }: InputDefinition): string | undefined {
  if (!fitsType(value, type)) return `must be of type ${type}, not ${describe(value)}`;
  if (options && !options.some((option) => plain(option) === plain(value))) {
    return `must be one of ${options.map((option) => JSON.stringify(plain(option))).join(', ')}, not ${describe(value)}`;
  }
  if (regex === undefined || value.kind !== 'leaf') return undefined;
  const compiled = compileRegex(regex);
  return typeof compiled !== 'string' && !compiled.occursIn(value.text)
    ? `must match /${regex}/, which ${describe(value)} does not`
    : undefined;
}
