import { descendants, lineage } from '../context.ts';
import type { LintStage, Located, RuleContext } from '../context.ts';
import type { LabelType } from '../settings.ts';
import { instructionRule, toComplaint } from '../rule.ts';
import type { Complaint, Rule } from '../rule.ts';
import { unquoted } from '../text.ts';
import { SPDX_LICENCES } from './spdx.table.ts';

interface Label {
  readonly name: string;
  readonly value: string;
}

function labelsOf({ instruction }: Located): readonly Label[] {
  if (instruction.keyword !== 'LABEL') return [];
  return instruction.pairs.map(({ name, value }) => ({
    name: unquoted(name.text),
    value: unquoted(value?.text ?? ''),
  }));
}

const RESERVED = /^(?:com\.docker|io\.docker|org\.dockerproject)\./;

function isBadKey(name: string): boolean {
  return !/^[a-z](?:[a-z0-9.-]*[a-z0-9])?$/.test(name) || /\.\.|--/.test(name) || RESERVED.test(name);
}

/** A rule about the values of labels that the schema gives a type. */
function valueRule(
  type: LabelType,
  heading: Pick<Rule, 'code' | 'severity' | 'title'>,
  isFine: (value: string) => boolean,
): Rule {
  return {
    ...heading,
    check: ({ instructions, options }) =>
      instructions
        .filter((located) =>
          labelsOf(located).some(
            ({ name, value }) => ofType(options.labelSchema, name, type) && !isFine(value),
          ),
        )
        .map(toComplaint),
  };
}

function ofType(schema: Readonly<Record<string, LabelType>>, name: string, type: LabelType): boolean {
  return Object.hasOwn(schema, name) && schema[name] === type;
}

function isUrl(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(value) && URL.canParse(value);
}

function isTime(value: string): boolean {
  const isShaped = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(value);
  return isShaped && !Number.isNaN(Date.parse(value.toUpperCase().replace(' ', 'T')));
}

function isLicence(value: string): boolean {
  const names = value
    .replaceAll(/[()]/g, ' ')
    .split(/\s+(?:AND|OR|WITH)\s+/)
    .map((name) => name.trim());
  return names.every(
    (name) => SPDX_LICENCES.has(name.replace(/\+$/, '')) || /^LicenseRef-[\w.-]+$/.test(name),
  );
}

const isHash = (value: string): boolean => /^(?:[0-9a-f]{7}|[0-9a-f]{40})$/.test(value);

const SEMVER =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?(?:\+[\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*)?$/;

const isEmail = (value: string): boolean => /^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(value);

function missingLabels({ stages, options }: RuleContext): readonly Complaint[] {
  return Object.keys(options.labelSchema).flatMap((wanted) =>
    stages
      .filter((stage) => stage.from !== undefined && !hasLabel(stage, wanted))
      .filter((stage) => !users(stage, stages).some((user) => hasLabel(user, wanted)))
      .map(({ line }) => ({ line, message: `The label \`${wanted}\` is missing.` })),
  );
}

/** What is made from a stage, or takes files from it: the label only has to be on what comes out in the end. */
function users(stage: LintStage, stages: readonly LintStage[]): readonly LintStage[] {
  const copying = stages.filter(({ instructions }) =>
    instructions.some(({ instruction }) => copiesFrom(instruction, stage)),
  );
  return [...descendants(stage, stages), ...copying];
}

function copiesFrom({ keyword, flags }: Located['instruction'], { name, index }: LintStage): boolean {
  if (keyword !== 'COPY') return false;
  const from = flags.find((flag) => flag.name === 'from')?.value;
  return from !== undefined && [name, String(index)].includes(unquoted(from).toLowerCase());
}

function hasLabel(stage: LintStage, wanted: string): boolean {
  return lineage(stage).some(({ instructions }) =>
    instructions.some((located) => labelsOf(located).some(({ name }) => name === wanted)),
  );
}

export const LABEL_RULES: readonly Rule[] = [
  instructionRule(
    {
      code: 'DL3048',
      severity: 'style',
      title:
        'A label’s key is lower case letters, digits, single dots and dashes, outside Docker’s own names.',
    },
    (located) => labelsOf(located).some(({ name }) => isBadKey(name)),
  ),
  { code: 'DL3049', severity: 'info', title: 'A required label is missing.', check: missingLabels },
  {
    code: 'DL3050',
    severity: 'info',
    title: 'A label that the schema does not know.',
    check: ({ instructions, options }) =>
      options.strictLabels
        ? instructions
            .filter((located) =>
              labelsOf(located).some(({ name }) => !Object.hasOwn(options.labelSchema, name)),
            )
            .map(toComplaint)
        : [],
  },
  {
    code: 'DL3051',
    severity: 'warning',
    title: 'A required label is empty.',
    check: ({ instructions, options }) =>
      instructions
        .filter((located) =>
          labelsOf(located).some(
            ({ name, value }) => Object.hasOwn(options.labelSchema, name) && value === '',
          ),
        )
        .map(toComplaint),
  },
  valueRule('url', { code: 'DL3052', severity: 'warning', title: 'This label has to be a URL.' }, isUrl),
  valueRule(
    'rfc3339',
    { code: 'DL3053', severity: 'warning', title: 'This label has to be a time as RFC 3339 writes it.' },
    isTime,
  ),
  valueRule(
    'spdx',
    { code: 'DL3054', severity: 'warning', title: 'This label has to be an SPDX licence identifier.' },
    isLicence,
  ),
  valueRule(
    'hash',
    { code: 'DL3055', severity: 'warning', title: 'This label has to be a Git commit hash.' },
    isHash,
  ),
  valueRule(
    'semver',
    { code: 'DL3056', severity: 'warning', title: 'This label has to be a semantic version.' },
    (value) => SEMVER.test(value),
  ),
  valueRule(
    'email',
    { code: 'DL3058', severity: 'warning', title: 'This label has to be an e-mail address.' },
    isEmail,
  ),
];
