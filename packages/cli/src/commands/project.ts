import type { PipelineResult } from '@updraft/gitlab-ci';
import { findRepository, readCommit, readTree } from '@updraft/git';
import { UsageError, keyValues } from '../command.ts';
import type { Context, Option } from '../command.ts';

/** Options that choose the commit and how its pipeline was asked for. */
export const PIPELINE_OPTIONS: readonly Option[] = [
  { name: 'ref', value: 'BRANCH', help: 'as for this branch (default: the one checked out)' },
  { name: 'tag', value: 'TAG', help: 'as for this tag' },
  { name: 'source', value: 'SOURCE', help: 'CI_PIPELINE_SOURCE (default: push)' },
  { name: 'variable', value: 'K=V', repeated: true, help: 'set a pipeline variable' },
];

/** The pipeline a commit gets, computed here: no daemon is asked. */
export async function pipelineOf(context: Context): Promise<PipelineResult> {
  const ref = context.text('ref');
  const tag = context.text('tag');
  if (ref !== undefined && tag !== undefined) {
    throw new UsageError('--ref and --tag exclude each other', 'A pipeline is for a branch or for a tag.');
  }
  const language = import('@updraft/gitlab-ci');
  const dir = await findRepository(context.cwd);
  const facts = await readCommit(dir, {
    ...(ref === undefined ? {} : { ref }),
    ...(tag === undefined ? {} : { tag }),
  });
  const source = context.text('source');
  const { createPipeline } = await language;
  return createPipeline({
    facts,
    files: await readTree(dir, facts.sha),
    ...(source === undefined ? {} : { source }),
    pipelineVariables: Object.entries(keyValues(context.texts('variable'), 'variable')).map(
      ([key, value]) => ({
        key,
        value,
        source: 'pipeline',
      }),
    ),
  });
}
