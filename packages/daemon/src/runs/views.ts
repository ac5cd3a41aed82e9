import type { EnvironmentView, RunEvent, RunView } from '@updraft/control';
import type { EnvironmentRecord, RunRecord, RunnerEvent } from '@updraft/runner';

/** Records of the runner as the control API shows them. */
export const runView = (record: RunRecord): RunView => record;

export const runEvent = (event: RunnerEvent): RunEvent => event;

export const environmentView = (record: EnvironmentRecord): EnvironmentView => ({
  name: record.name,
  slug: record.slug,
  url: record.url,
  state: record.state,
  tier: record.tier,
  namespace: record.slug,
  ref: record.ref,
  deployed_at: record.deployedAt,
  project_dir: record.projectDir,
  ...(record.cluster ? { cluster: record.cluster.server } : {}),
});
