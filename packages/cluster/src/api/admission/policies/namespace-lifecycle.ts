import type { KubeObject, ResourceStore } from '../../../store/types.ts';
import { ApiFault, forbidden } from '../../status.ts';
import type { Subject } from '../../status.ts';

const TERMINATING = 'NamespaceTerminating';

/** Nothing new is made in a namespace that is being deleted. @throws ApiFault 403 */
export function checkNamespaceIsOpen(store: ResourceStore, subject: Subject, { metadata }: KubeObject): void {
  const { namespace: name } = metadata;
  if (name === undefined) return;
  if (store.get('namespaces', undefined, name)?.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${name} because it is being terminated`;
  throw forbidden(subject, metadata.name, why, [
    {
      reason: TERMINATING,
      message: `namespace ${name} is being terminated`,
      field: 'metadata.namespace',
    },
  ]);
}

/** Whether something was refused for that: whoever wanted it has nothing more to do there. */
export function isForEndingNamespace(error: unknown): boolean {
  const causes = error instanceof ApiFault ? error.status.details?.causes : undefined;
  return causes?.some(({ reason }) => reason === TERMINATING) ?? false;
}
