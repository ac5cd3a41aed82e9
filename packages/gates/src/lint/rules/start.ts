import type { NameValue } from '@updraft/dockerfile';
import { descendants, lineage } from '../context.ts';
import type { LintStage, Located } from '../context.ts';
import { instructionRule, toComplaint } from '../rule.ts';
import type { Complaint, Rule } from '../rule.ts';

/** All but the first instruction of a kind in each stage; what ONBUILD triggers is another image's. */
function repeated(stages: readonly LintStage[], keyword: string): readonly Complaint[] {
  return stages.flatMap((stage) =>
    stage.instructions
      .filter(({ instruction, onbuild }) => instruction.keyword === keyword && !onbuild)
      .slice(1)
      .map(toComplaint),
  );
}

/** In the stage, in what it starts from, or in what is made from it. */
function hasHealthcheck(stage: LintStage, stages: readonly LintStage[]): boolean {
  return [...lineage(stage), ...descendants(stage, stages)].some(({ instructions }) =>
    instructions.some(({ instruction }) => instruction.keyword === 'HEALTHCHECK'),
  );
}

function mentions(value: string, name: string): boolean {
  const variables = value.matchAll(/(?<!\\)\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))/g);
  return [...variables].some(([, braced, plain]) => (braced ?? plain) === name);
}

/** Does a value use a name that only this ENV defines? Docker would expand it to what it was before. */
function usesItsOwnNames(pairs: readonly NameValue[], known: ReadonlySet<string>): boolean {
  return pairs.some(({ value }, index) =>
    pairs.some(
      ({ name }, other) => other !== index && !known.has(name.text) && mentions(value?.text ?? '', name.text),
    ),
  );
}

function selfReferences(instructions: readonly Located[]): readonly Complaint[] {
  const known = new Set<string>();
  const complaints: Complaint[] = [];
  for (const located of instructions) {
    const { instruction } = located;
    if (instruction.keyword !== 'ENV' && instruction.keyword !== 'ARG') continue;
    if (instruction.keyword === 'ENV' && usesItsOwnNames(instruction.pairs, known))
      complaints.push(toComplaint(located));
    for (const { name } of instruction.pairs) known.add(name.text);
  }
  return complaints;
}

export const START_RULES: readonly Rule[] = [
  {
    code: 'DL3012',
    severity: 'error',
    title: 'Only one HEALTHCHECK counts: the earlier one is lost.',
    check: ({ stages }) => repeated(stages, 'HEALTHCHECK'),
  },
  instructionRule(
    {
      code: 'DL3025',
      severity: 'warning',
      title: 'Write CMD and ENTRYPOINT as JSON arrays: the shell form swallows signals.',
    },
    ({ instruction }) =>
      (instruction.keyword === 'CMD' || instruction.keyword === 'ENTRYPOINT') &&
      instruction.command.form === 'shell',
  ),
  {
    code: 'DL3043',
    severity: 'error',
    title: 'ONBUILD may not trigger ONBUILD, FROM or MAINTAINER.',
    check: ({ dockerfile, instructions }) => [
      ...instructions
        .filter(
          ({ onbuild, instruction }) =>
            onbuild && ['ONBUILD', 'FROM', 'MAINTAINER'].includes(instruction.keyword),
        )
        .map(toComplaint),
      ...dockerfile.problems
        .filter(({ code }) => code === 'ONBUILD_FORBIDDEN')
        .map(({ range }) => ({ line: range.start.line })),
    ],
  },
  {
    code: 'DL3044',
    severity: 'error',
    title: 'A variable set by this ENV cannot be used in the same ENV: split it in two.',
    check: ({ instructions }) => selfReferences(instructions),
  },
  {
    code: 'DL3057',
    severity: 'ignore',
    title: 'There is no HEALTHCHECK.',
    check: ({ stages }) =>
      stages.filter((stage) => stage.from !== undefined && !hasHealthcheck(stage, stages)).map(toComplaint),
  },
  {
    code: 'DL4003',
    severity: 'warning',
    title: 'Only the last CMD counts.',
    check: ({ stages }) => repeated(stages, 'CMD'),
  },
  {
    code: 'DL4004',
    severity: 'error',
    title: 'Only the last ENTRYPOINT counts.',
    check: ({ stages }) => repeated(stages, 'ENTRYPOINT'),
  },
];
