import { recordAt, recordsAt } from './members.ts';
import type { Members } from './members.ts';

const COUNTED = ['cpu', 'memory'];

/** `Guaranteed` when every container limits all it asks for, `BestEffort` when none asks for anything. */
export function qosClassOf(spec: Members): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const resources = [...recordsAt(spec, 'containers'), ...recordsAt(spec, 'initContainers')].map(
    (container) => recordAt(container, 'resources'),
  );
  const lists = resources.map((each) => ({
    limits: recordAt(each, 'limits'),
    requests: recordAt(each, 'requests'),
  }));
  const asks = lists.some(({ limits, requests }) =>
    COUNTED.some((name) => limits[name] !== undefined || requests[name] !== undefined),
  );
  if (!asks) return 'BestEffort';
  const full = lists.every(({ limits, requests }) =>
    COUNTED.every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  );
  return full ? 'Guaranteed' : 'Burstable';
}
