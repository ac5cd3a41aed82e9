import type { KubeObject, ResourceStore } from '../../../store/types.ts';
import { forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';
import { recordAt, recordsAt, textAt } from '../members.ts';

/** The pod's account must be there; its pull secrets are the pod's when that names none. @throws ApiFault 403 */
export function checkServiceAccount(store: ResourceStore, subject: Subject, pod: KubeObject): void {
  const name = textAt(pod.spec, 'serviceAccountName') ?? 'default';
  const namespace = pod.metadata.namespace ?? '';
  const account = store.get('serviceaccounts', namespace, name);
  // The default account appears a moment after its namespace.
  if (!account && name !== 'default') {
    const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
    throw forbidden(subject, pod.metadata.name, why);
  }
  const secrets = recordsAt(account, 'imagePullSecrets');
  const spec = recordAt(pod, 'spec');
  if (secrets.length > 0 && recordsAt(spec, 'imagePullSecrets').length === 0)
    spec['imagePullSecrets'] = [...secrets];
}
