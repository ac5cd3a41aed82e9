import type { Variable } from '../pipeline.ts';
import type { MapTree } from '../tree.ts';
import { child, positionOf } from '../tree.ts';
import type { VariableScope } from '../variables/scope.ts';
import { strongest } from '../variables/job-variables.ts';
import type { VariableOrigin, VariableTrace } from './explanation.ts';
import type { Origins } from './origins.ts';
import type { Redact } from './redact.ts';

/** Where the variables of one job may have been written. */
export interface VariablePlaces {
  readonly configuration: MapTree;
  readonly job: MapTree;
  /** The rules that set variables: of workflow and of the job. */
  readonly workflowRule: MapTree | undefined;
  readonly rule: MapTree | undefined;
  /** Of the project's variables: the strongest of each name. */
  readonly given: ReadonlyMap<string, string> | undefined;
}

export function originOf({ key, source }: Variable, places: VariablePlaces): VariableOrigin {
  const entry = mapOf(source, places)?.entries.get(key);
  const at = entry?.at ?? (source === 'matrix' ? child(places.job, 'parallel')?.at : undefined);
  return { source, position: at && positionOf(at), place: at ? undefined : placeOf(key, source, places) };
}

function mapOf(source: Variable['source'], places: VariablePlaces): MapTree | undefined {
  const owner = {
    global: places.configuration,
    workflow: places.workflowRule,
    job: places.job,
    rule: places.rule,
  };
  const map = Object.hasOwn(owner, source) ? owner[source as keyof typeof owner] : undefined;
  const variables = child(map, 'variables');
  return variables?.kind === 'map' ? variables : undefined;
}

function placeOf(key: string, source: Variable['source'], { given }: VariablePlaces): string | undefined {
  if (source === 'pipeline') return 'the command line';
  return source === 'project' ? (given?.get(key) ?? 'the project’s settings') : undefined;
}

export interface VariablesSetting {
  readonly places: VariablePlaces;
  readonly scope: VariableScope;
  readonly redact: Redact;
  readonly origins: Origins;
  /** The job's name in the configuration. */
  readonly job: string;
}

/** One trace for each name, the values that GitLab does not predefine first. */
export function traceVariables(
  candidates: readonly Variable[],
  setting: VariablesSetting,
): readonly VariableTrace[] {
  const byKey = new Map<string, Variable[]>();
  for (const variable of candidates) {
    const known = byKey.get(variable.key);
    if (known) known.push(variable);
    else byKey.set(variable.key, [variable]);
  }
  const traces = [...byKey.values()].map((all) => traceVariable(ranked(all), setting));
  const isPredefined = ({ source }: VariableTrace): number => Number(source === 'predefined');
  return traces.toSorted((a, b) => isPredefined(a) - isPredefined(b) || (a.key < b.key ? -1 : 1));
}

/** Strongest first. */
function ranked(variables: readonly Variable[]): readonly Variable[] {
  const rest = [...variables];
  const order: Variable[] = [];
  for (let [top] = strongest(rest); top; [top] = strongest(rest)) {
    order.push(top);
    rest.splice(rest.indexOf(top), 1);
  }
  return order;
}

function traceVariable(all: readonly Variable[], setting: VariablesSetting): VariableTrace {
  const { places, scope } = setting;
  const [winner, ...weaker] = all as [Variable, ...Variable[]];
  const expanded = winner.file ? winner.value : (scope.expanded(winner.key) ?? winner.value);
  const isBeaten = (one: Variable): boolean => one.source === 'project' && one !== all.find(isOfProject);
  const others = weaker.map((one) => ({
    ...originOf(one, places),
    ...(isBeaten(one) ? { place: 'other settings' } : {}),
    value: shown(one, one.value, setting),
    via: undefined,
  }));
  return {
    key: winner.key,
    value: shown(winner, winner.value, setting),
    expanded: shown(winner, expanded, setting),
    masked: winner.masked ?? false,
    ...originOf(winner, places),
    over: [...extended(winner, setting), ...others],
  };
}

const isOfProject = ({ source }: Variable): boolean => source === 'project';

/** What a file holds is for the job alone. */
function shown({ file }: Variable, value: string, { redact }: VariablesSetting): string {
  return file ? `(a file of ${value.length} characters)` : redact(value);
}

/** Values of the same name in the templates that the job extends. */
function extended({ key, source }: Variable, setting: VariablesSetting): VariableTrace['over'] {
  if (source !== 'job') return [];
  const [, ...weaker] = setting.origins.variable(setting.job, key);
  return weaker.map(({ value, via, position }) => ({
    source,
    position,
    place: undefined,
    value: setting.redact(value),
    via,
  }));
}
