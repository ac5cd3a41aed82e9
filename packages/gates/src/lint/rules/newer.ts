import { plainArgs } from '../../shell/commands.ts';
import type { Command } from '../../shell/commands.ts';
import type { Located } from '../context.ts';
import { commandRule, instructionRule, toComplaint } from '../rule.ts';
import type { Rule } from '../rule.ts';
import { unquoted } from '../text.ts';
import { SENSITIVE_NAMES, SENSITIVE_PARTS } from './sensitive-names.table.ts';

const isLocal = (name: string): boolean => /^(?:\.|\/|[A-Za-z]:)/.test(name);

function isPinned(name: string): boolean {
  const at = name.lastIndexOf('@');
  return at > 0 && !['', 'latest', 'none', 'upgrade', 'patch'].includes(name.slice(at + 1));
}

/** What a `go` command downloads by name: all arguments, but of `go run` the first alone. */
function goModules(command: Command): readonly string[] {
  const [verb = '', ...names] = plainArgs(command);
  if (verb === 'run') return names.slice(0, 1).filter((name) => !name.endsWith('.go'));
  if (verb !== 'install' && verb !== 'get') return [];
  return names.filter((name) => name !== 'tool');
}

function goUnpinned(command: Command): boolean {
  if (command.name !== 'go') return false;
  return goModules(command).some((name) => !isLocal(name) && !isPinned(name));
}

export function hasSensitiveName(name: string): boolean {
  const lower = name.toLowerCase();
  return SENSITIVE_NAMES.has(name.toUpperCase()) || SENSITIVE_PARTS.some((part) => lower.includes(part));
}

function namesSecret({ instruction }: Located): boolean {
  if (instruction.keyword !== 'ENV' && instruction.keyword !== 'ARG') return false;
  return instruction.pairs.some(({ name }) => hasSensitiveName(name.text));
}

function isNamedUser({ instruction }: Located): boolean {
  return instruction.keyword === 'USER' && !/^\d*(?::|$)/.test(unquoted(instruction.value.text));
}

function copiesEverything({ instruction }: Located): boolean {
  if (instruction.keyword !== 'COPY' || !instruction.flags.some(({ name }) => name === 'from')) return false;
  const isRoot = (text: string) => unquoted(text) === '/';
  return isRoot(instruction.target.text) && instruction.sources.some(({ word }) => isRoot(word.text));
}

const RESERVED_STAGES = ['context', 'scratch'];

export const NEWER_RULES: readonly Rule[] = [
  commandRule(
    {
      code: 'DL3062',
      severity: 'warning',
      set: 'newer',
      title: 'Pin what go fetches: `go install PACKAGE@VERSION` instead of `go install PACKAGE`.',
    },
    goUnpinned,
  ),
  {
    code: 'DL3063',
    severity: 'warning',
    set: 'newer',
    title: 'The stage has a name that builders keep for themselves.',
    check: ({ stages }) => stages.filter(({ name = '' }) => RESERVED_STAGES.includes(name)).map(toComplaint),
  },
  instructionRule(
    {
      code: 'DL3064',
      severity: 'warning',
      set: 'newer',
      title: 'The name of this ARG or ENV promises a secret: secrets do not belong into an image’s history.',
    },
    namesSecret,
  ),
  {
    code: 'DL3065',
    severity: 'warning',
    set: 'newer',
    title: '`--platform=$TARGETPLATFORM` is what FROM does anyway.',
    check: ({ stages }) =>
      stages
        .filter(({ from }) =>
          from?.flags.some(
            ({ name, value = '' }) =>
              name === 'platform' && /^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(unquoted(value)),
          ),
        )
        .map(toComplaint),
  },
  instructionRule(
    {
      code: 'DL3066',
      severity: 'info',
      set: 'newer',
      title: 'Give USER as a number: a host cannot look up the image’s names.',
    },
    isNamedUser,
  ),
  instructionRule(
    {
      code: 'DL3067',
      severity: 'warning',
      set: 'newer',
      title: 'COPY takes over the whole file system of another stage.',
    },
    copiesEverything,
  ),
];
