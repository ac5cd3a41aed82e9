import type { KubeObject } from '../../store/types.ts';
import { defaults, recordAt, recordsAt } from '../admission/members.ts';

const HTTPS_PORT = 443;

/** Fills in what Kubernetes stores for what a webhook leaves out. Changes the object it is given. */
export function defaultConfiguration(configuration: KubeObject): void {
  const ofKind = configuration.kind.startsWith('Mutating') ? { reinvocationPolicy: 'Never' } : {};
  for (const webhook of recordsAt(configuration, 'webhooks')) {
    defaults(webhook, {
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      ...ofKind,
    });
    for (const rule of recordsAt(webhook, 'rules')) defaults(rule, { scope: '*' });
    const client = recordAt(webhook, 'clientConfig');
    if (client['service'] !== undefined) defaults(recordAt(client, 'service'), { port: HTTPS_PORT });
  }
}
