import type { RuleContext } from './conditions.ts';
import { evaluate, isTruthy } from './expression/evaluate.ts';
import { compileRegex } from './expression/regex.ts';
import type { Home, Located, Sources } from './include-sources.ts';
import { interpolate } from './interpolate.ts';
import { describe } from './keywords/readers.ts';
import { fitsType, inputDeclarations, spec as specReader } from './keywords/spec.ts';
import type { InputDefinition } from './keywords/spec.ts';
import type { Problems } from './problems.ts';
import { nearest } from './suggest.ts';
import { SourceFile, child, isLargerThan, isNull, plain } from './tree.ts';
import type { Entry, MapTree, Mark, Tree } from './tree.ts';
import { readYaml } from './yaml/read-yaml.ts';

export interface HeaderRequest {
  readonly documents: readonly Tree[];
  readonly source: SourceFile;
  /** `include:inputs` of the entry that brought the file in. */
  readonly passed: MapTree | undefined;
  /** All of `passed` are texts: what is declared to be something else is read as YAML. */
  readonly areTexts: boolean;
  readonly includedAt: Mark | undefined;
  readonly problems: Problems;
  readonly rules: RuleContext;
  isMasked(name: string): boolean;
  /** Of a file that came in as a component. */
  readonly component: Located['component'];
  /** For `spec:include`, and from where its `local` paths are meant. */
  readonly sources: Sources;
  readonly home: Home;
}

/** The configuration proper of a file: its `spec` header taken off and its inputs put in. */
export function applyHeader(request: HeaderRequest): Tree | undefined {
  const [first, second] = request.documents;
  const header = second && first?.kind === 'map' ? first.entries.get('spec') : undefined;
  if (!second || !header) {
    refuseInputs(request);
    return first;
  }
  const { problems, rules, isMasked } = request;
  const { declared, component } = readSpec(header, request);
  const inputs = new Inputs(declared, request).values();
  return interpolate(second, {
    inputs,
    declared: new Set(declared.keys()),
    component,
    problems,
    isMasked,
    variable: rules.variable,
  });
}

function refuseInputs({ passed, problems, source }: HeaderRequest): void {
  for (const entry of passed?.entries.values() ?? []) {
    problems.add('input-invalid', entry.at, `${source.path} declares no inputs, but ${entry.key} is given`);
  }
}

interface Declarations {
  readonly declared: ReadonlyMap<string, InputDefinition>;
  readonly component: ReadonlyMap<string, string>;
}

function readSpec(header: Entry, request: HeaderRequest): Declarations {
  const { problems, source, component } = request;
  const scope = { problems, subject: source.path, keyword: 'spec' };
  const spec = isNull(header.value) ? undefined : specReader(header.value, scope);
  const declared = new Map<string, InputDefinition>();
  for (const { target, at } of spec?.include ?? []) {
    const from = { home: request.home, at, scope: { ...scope, keyword: 'spec:include' } };
    for (const located of request.sources.locate(target, from)) declareFrom(located, request, declared);
  }
  // What the file says itself wins.
  for (const [name, definition] of spec?.inputs ?? []) declared.set(name, definition);
  const about = component ? (spec?.component ?? []).map((name) => [name, component[name]] as const) : [];
  return { declared, component: new Map(about) };
}

/** A file of `spec:include` holds nothing but `inputs`. */
function declareFrom(
  { name, text }: Located,
  { problems, source }: HeaderRequest,
  declared: Map<string, InputDefinition>,
): void {
  const file = new SourceFile(name, text, [...source.includedFrom, source.path]);
  const [document] = readYaml(file, problems);
  const inputs = child(document, 'inputs');
  if (!inputs) {
    problems.add(
      'input-invalid',
      document?.at ?? { source: file, offset: 0 },
      `${name} must be a map with inputs`,
    );
    return;
  }
  const read = inputDeclarations(inputs, { problems, subject: name, keyword: 'inputs' });
  for (const [key, definition] of read ?? []) declared.set(key, definition);
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
      problems.add('input-invalid', entry.at, message, () => nearest(entry.key, this.#declared.keys()));
    }
    for (const [name, definition] of this.#declared) this.#settle(name, definition);
    return this.#values;
  }

  #settle(name: string, definition: InputDefinition): void {
    const { problems, source, includedAt } = this.#request;
    const ruled = this.#ruled(definition);
    const given = this.#given(name, definition);
    const value = given ?? ruled.default;
    if (!value) {
      problems.add(
        'input-invalid',
        includedAt ?? definition.at,
        `${source.path} needs the input ${name}, which is not given`,
      );
      return;
    }
    // A default that is of a wrong type was reported where it is declared.
    if (!given && !definition.rules && !fitsType(value, definition.type)) return;
    const why = whyUnfit(value, { ...definition, options: ruled.options });
    if (why === undefined) this.#values.set(name, value);
    else
      problems.add(
        'input-invalid',
        given ? value.at : definition.at,
        `${source.path}: the input ${name} ${why}`,
      );
  }

  #given(name: string, { type }: InputDefinition): Tree | undefined {
    const { passed, areTexts, problems } = this.#request;
    const value = passed?.entries.get(name)?.value;
    if (!areTexts || type === 'string' || value?.kind !== 'leaf') return value;
    const [read] = readYaml(new SourceFile(`--input ${name}`, value.text), problems);
    return read ?? value;
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

/** More values than any configuration could use; inputs that pass each other on could grow without end. */
const MAX_VALUES = 100_000;

function whyUnfit(value: Tree, { type, options, regex }: InputDefinition): string | undefined {
  if (isLargerThan(value, MAX_VALUES)) return `has more than ${MAX_VALUES} values`;
  if (!fitsType(value, type)) return `must be of type ${type}, not ${describe(value)}`;
  if (options && value.kind === 'leaf' && !options.some((option) => plain(option) === plain(value))) {
    return `must be one of ${options.map((option) => JSON.stringify(plain(option))).join(', ')}, not ${describe(value)}`;
  }
  if (regex === undefined || value.kind !== 'leaf') return undefined;
  const compiled = compileRegex(regex);
  return typeof compiled !== 'string' && !compiled.occursIn(value.text)
    ? `must match /${regex}/, which ${describe(value)} does not`
    : undefined;
}
