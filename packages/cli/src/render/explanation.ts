import type { Explanation, InstanceExplanation, NeedTrace } from '@updraft/gitlab-ci';
import type { Output } from '../output.ts';
import { keyLines } from './explanation-keys.ts';
import { filterLines, ruleLines } from './explanation-rules.ts';
import { variableLines } from './explanation-variables.ts';
import { visibleText } from './excerpt.ts';
import { INDENT, mark, placeText } from './explanation-words.ts';

export interface ExplanationView {
  readonly output: Output;
  /** Predefined variables too. */
  readonly showAll: boolean;
}

/** An explanation for people: the verdict first, then what led to it. */
export function explanationLines(explanation: Explanation, view: ExplanationView): readonly string[] {
  const { output } = view;
  const section: Section = (title, lines) =>
    lines.length === 0 ? [] : ['', output.style('bold', title), ...lines];
  const { workflow, keys, instances, asked } = explanation;
  const groups = groupsOf(instances);
  return [
    ...headLines(explanation, output),
    ...section('workflow:rules', workflow ? ruleLines(workflow, output) : []),
    ...groups.flatMap((group) => [
      ...(instances.length > 1 ? ['', groupTitle(group, output)] : []),
      ...ruleSections(group[0], section, output),
      ...(group[0].in || groups.length === 1 ? valueSections(group[0], section, view) : []),
    ]),
    ...section(`Where the keys of ${visibleText(asked)} come from`, keyLines(keys, output)),
  ];
}

function headLines(explanation: Explanation, output: Output): readonly string[] {
  const { asked, verdict, reason, suggestion, noPipeline, usedBy } = explanation;
  const [sign, colour, words] = {
    in: ['✓', 'green', 'is in the pipeline'],
    partly: ['✓', 'yellow', 'is in the pipeline in part'],
    out: ['✗', 'red', 'is not in the pipeline'],
    hidden: ['-', 'yellow', 'is hidden'],
    unknown: ['?', 'red', 'does not exist'],
    unreadable: ['?', 'red', 'cannot be explained'],
  }[verdict] as [string, 'green' | 'yellow' | 'red', string];
  const lines = [`${output.style(colour, `${sign} ${visibleText(asked)} ${words}`)}: ${visibleText(reason)}`];
  if (noPipeline !== undefined) {
    lines.push(output.style('red', `${INDENT}But there is no pipeline at all: ${visibleText(noPipeline)}`));
  }
  if (suggestion !== undefined) lines.push(`${INDENT}Did you mean ${visibleText(suggestion)}?`);
  if (verdict === 'hidden') {
    lines.push(`${INDENT}${usedBy.length === 0 ? 'No job extends it' : `Extended by ${usedBy.join(', ')}`}`);
  }
  const facts = factsOf(explanation);
  return facts === '' ? lines : [...lines, `${INDENT}${output.style('dim', visibleText(facts))}`];
}

function factsOf({ stage, position, parents, instances }: Explanation): string {
  const extended = parents.map(({ name }) => name);
  const environment = instances.find(({ result }) => result?.environment !== undefined)?.result?.environment;
  return [
    stage && `stage ${stage}`,
    position && placeText(position),
    extended.length > 0 && `extends ${[...new Set(extended)].join(' → ')}`,
    environment !== undefined && `environment ${environment}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

type Group = readonly [InstanceExplanation, ...InstanceExplanation[]];

/** Instances that came in or stayed out for the same reason are explained once. */
function groupsOf(instances: readonly InstanceExplanation[]): readonly Group[] {
  const groups = new Map<string, [InstanceExplanation, ...InstanceExplanation[]]>();
  for (const instance of instances) {
    const key = `${instance.in} ${instance.reason}`;
    const known = groups.get(key);
    if (known) known.push(instance);
    else groups.set(key, [instance]);
  }
  return [...groups.values()];
}

const MAX_NAMES = 6;

function groupTitle(group: Group, output: Output): string {
  const [first] = group;
  const names = group.slice(0, MAX_NAMES).map(({ name }) => visibleText(name));
  const rest = group.length > MAX_NAMES ? ` and ${group.length - MAX_NAMES} more` : '';
  return `${mark(first.in, output)} ${output.style('bold', names.join(', ') + rest)}: ${visibleText(first.reason)}`;
}

type Section = (title: string, lines: readonly string[]) => readonly string[];

const ruleSections = (
  { rules, filters }: InstanceExplanation,
  section: Section,
  output: Output,
): readonly string[] => [
  ...section('Rules', rules ? ruleLines(rules, output) : []),
  ...section('only and except', filterLines(filters, output)),
];

/** What an instance that is out would need says nothing; its variables may be why it is. */
function valueSections(
  instance: InstanceExplanation,
  section: Section,
  { output, showAll }: ExplanationView,
): readonly string[] {
  const { needs, variables } = instance;
  return [
    ...section('What it does in this pipeline', resultLines(instance)),
    ...section('Needs', needs && instance.in ? needLines(needs, output) : []),
    ...section('Variables', variableLines(variables, { output, showAll })),
  ];
}

function resultLines({ result }: InstanceExplanation): readonly string[] {
  if (!result) return [];
  const { when, startInSeconds, allowFailure } = result;
  const delay = startInSeconds === undefined ? '' : `, ${startInSeconds} seconds after it could`;
  const failure =
    allowFailure === true
      ? 'its failure is allowed'
      : allowFailure === false
        ? 'its failure fails the pipeline'
        : `its failure is allowed with the exit codes ${allowFailure.exitCodes.join(', ')}`;
  const manual = when === 'manual' && allowFailure === false ? ', and the pipeline waits for it' : '';
  return [`${INDENT}when ${when}${delay}; ${failure}${manual}`];
}

function needLines(needs: readonly NeedTrace[], output: Output): readonly string[] {
  if (needs.length === 0) return [`${INDENT}nothing: it starts at once`];
  return needs.map(({ job, state, jobs, because, optional, position }) => {
    const name = `${visibleText(job)}${optional ? ' (optional)' : ''}`;
    const isOpen = state === 'dropped' || state === 'foreign';
    const sign = isOpen ? output.style('dim', '-') : mark(state === 'met', output);
    const why = visibleText(because ?? '');
    const end = {
      met: jobs.length === 1 && jobs[0] === job ? '' : ` → ${jobs.map(visibleText).join(', ')}`,
      dropped: `: dropped, ${why}`,
      'left-out': `: not in the pipeline, ${why}`,
      missing: ': there is no such job',
      foreign: ` ${why}`,
    }[state];
    return `${INDENT}${sign} ${name}${end}  ${output.style('dim', placeText(position))}`;
  });
}
