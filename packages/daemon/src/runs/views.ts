import type { EnvironmentView, RunEvent, RunView } from '@updraft/control';
import type { EnvironmentRecord, RunRecord, RunnerEvent } from '@updraft/runner';

/** Records of the runner as the control API shows them. */
export function runView(record: RunRecord): RunView {
  const { projectDir: _projectDir, ...view } = record;
  return view;
}

export function runEvent(event: RunnerEvent): RunEvent {
  if (event.type === 'run' || event.type === 'finished') return { type: event.type, run: runView(event.run) };
  return event;
}

export const environmentView = (record: EnvironmentRecord): EnvironmentView => ({
  name: record.name,
  slug: record.slug,
  url: record.url,
  state: record.state,
  tier: record.tier,
  namespace: record.slug,
  ref: record.ref,
  deployed_at: record.deployedAt,
});
