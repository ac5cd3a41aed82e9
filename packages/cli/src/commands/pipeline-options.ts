import type { ProjectSelection } from '@updraft/project';
import { UsageError, keyValues } from '../command.ts';
import type { Context, Option } from '../command.ts';

/** Options that choose the commit and how its pipeline was asked for. */
export const PIPELINE_OPTIONS: readonly Option[] = [
  { name: 'ref', value: 'BRANCH', help: 'as for this branch (default: the one checked out)' },
  { name: 'tag', value: 'TAG', help: 'as for this tag' },
  { name: 'source', value: 'SOURCE', help: 'CI_PIPELINE_SOURCE, such as schedule or web (default: push)' },
  { name: 'target', value: 'BRANCH', help: 'as for a merge request into this branch' },
  { name: 'variable', value: 'K=V', repeated: true, help: 'set a pipeline variable' },
  { name: 'input', value: 'K=V', repeated: true, help: 'an input that the configuration declares' },
  { name: 'compare-to', value: 'REF', help: 'what rules:changes compares with (default: the parent commit)' },
  { name: 'config', value: 'FILE', help: 'the configuration (default: .gitlab-ci.yml)' },
  { name: 'committed', help: 'the commit alone, without what is changed in the work tree' },
];

/** Options of PIPELINE_OPTIONS with one text, by the names that project and daemon know them by. */
const TEXTS = {
  ref: 'ref',
  tag: 'tag',
  source: 'source',
  target: 'target',
  compareTo: 'compare-to',
  configPath: 'config',
} as const;

/** What PIPELINE_OPTIONS say; a text that was not given is not there. @throws UsageError */
export function selectionOf(context: Context): Omit<ProjectSelection, 'dir'> {
  if (context.text('ref') !== undefined && context.text('tag') !== undefined) {
    throw new UsageError('--ref and --tag exclude each other', 'A pipeline is for a branch or for a tag.');
  }
  const texts = Object.entries(TEXTS).map(([key, option]) => [key, context.text(option)] as const);
  return {
    ...Object.fromEntries(texts.filter(([, text]) => text !== undefined)),
    committed: context.flag('committed'),
    variables: keyValues(context.texts('variable'), 'variable'),
    inputs: keyValues(context.texts('input'), 'input'),
  };
}
