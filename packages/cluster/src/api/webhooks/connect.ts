import type { ApiContext, User } from '../context.ts';
import { flag } from '../request.ts';
import type { Target } from '../target.ts';
import { resumed } from './awaiting.ts';
import type { OwnKind } from './question.ts';

interface Connection {
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly user: User;
}

const KINDS: Readonly<Record<string, string>> = {
  'pods/exec': 'PodExecOptions',
  'pods/attach': 'PodAttachOptions',
  'pods/portforward': 'PodPortForwardOptions',
  'pods/proxy': 'PodProxyOptions',
  'services/proxy': 'ServiceProxyOptions',
  'nodes/proxy': 'NodeProxyOptions',
};

/** Asks the webhooks about a connection to what runs in the cluster. @throws ApiFault */
export async function reviewConnection(
  context: ApiContext,
  { target, query, user }: Connection,
): Promise<void> {
  const { type, plural, subresource = '', namespace, name = '' } = target;
  const kind = KINDS[`${plural}/${subresource}`];
  const gate = kind === undefined ? undefined : context.webhooks.open();
  if (!type || !gate || kind === undefined) return;
  const own: OwnKind = { group: '', version: 'v1', kind };
  const object = { kind, apiVersion: 'v1', ...optionsOf(query, subresource) } as never;
  await resumed(() =>
    gate
      .enter({
        operation: 'CONNECT',
        type,
        subresource,
        kind: own,
        namespace,
        // The port stands behind it.
        name: subresource === 'proxy' ? (/^(?:[^:]*:(?=[^:]+:))?([^:]+)/.exec(name)?.[1] ?? name) : name,
        object,
        before: undefined,
        user,
        dryRun: false,
        options: null,
      })
      .leave(object),
  );
}

function optionsOf(query: URLSearchParams, subresource: string): Record<string, unknown> {
  if (subresource === 'portforward') {
    const ports = query.getAll('ports').map(Number).filter(Number.isInteger);
    return ports.length > 0 ? { ports } : {};
  }
  if (subresource === 'proxy') return {};
  const set = (key: string) => (flag(query, key) ? { [key]: true } : {});
  const container = query.get('container');
  const command = query.getAll('command');
  return {
    ...set('stdin'),
    ...set('stdout'),
    ...set('stderr'),
    ...set('tty'),
    ...(container ? { container } : {}),
    ...(subresource === 'exec' && command.length > 0 ? { command } : {}),
  };
}
