import type { User } from '../context.ts';
import type { ServedResource } from '../resources.ts';
import { ApiFault, forbidden } from '../status.ts';
import type { KubeObject } from '../../store/types.ts';
import { recordAt, recordsAt, textAt } from '../admission/members.ts';
import type { AccessRequest } from './access-request.ts';
import { isAdministrator } from './authorizer.ts';
import type { Authorizer } from './authorizer.ts';
import { ruleText, uncovered } from './rules.ts';
import type { PolicyRule } from './rules.ts';

/** @throws ApiFault 403 in Kubernetes' words */
export function demand(authorizer: Authorizer, request: AccessRequest): void {
  if (!authorizer.decide(request).allowed) throw refusal(request);
}

function refusal({ user, verb, to }: AccessRequest): ApiFault {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if ('path' in to)
    return new ApiFault(403, 'Forbidden', `forbidden: ${who} path ${JSON.stringify(to.path)}`, {});
  const resource = to.subresource === undefined ? to.resource : `${to.resource}/${to.subresource}`;
  const where =
    to.namespace === undefined || to.resource === 'namespaces'
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(to.namespace)}`;
  const why = `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(to.group)} ${where}`;
  const subject = { group: to.group, plural: to.resource, kind: to.resource };
  if (to.name !== undefined) return forbidden(subject, to.name, why);
  const plural = to.group ? `${to.resource}.${to.group}` : to.resource;
  const details = { ...(to.group ? { group: to.group } : {}), kind: to.resource };
  return new ApiFault(403, 'Forbidden', `${plural} is forbidden: ${why}`, details);
}

const GROUP = 'rbac.authorization.k8s.io';

/** Must somebody who writes such an object hold what it gives away? */
export function isGrant(user: User, type: ServedResource): boolean {
  return type.group === GROUP && !isAdministrator(user);
}

/**
 * Nobody gives away, by a role or a binding, what they do not have (unless they may `escalate` or `bind`).
 * @throws ApiFault 403
 */
export function checkEscalation(
  authorizer: Authorizer,
  user: User,
  grant: { readonly type: ServedResource; readonly object: KubeObject },
): void {
  const { type, object } = grant;
  const { namespace } = object.metadata;
  const isBinding = type.kind.endsWith('Binding');
  const roleRef = recordAt(object, 'roleRef');
  const roles = textAt(roleRef, 'kind') === 'Role' ? 'roles' : 'clusterroles';
  const to = isBinding
    ? { group: GROUP, resource: roles, namespace, name: textAt(roleRef, 'name') }
    : { group: GROUP, resource: type.plural, namespace, name: object.metadata.name };
  if (authorizer.decide({ user, verb: isBinding ? 'bind' : 'escalate', to }).allowed) return;
  const wanted = isBinding
    ? authorizer.rulesOfRole(roleRef, namespace)
    : (recordsAt(object, 'rules') as readonly PolicyRule[]);
  const missing = uncovered(wanted, authorizer.rulesOf(user, namespace));
  if (missing.length === 0) return;
  const lines = missing.map(ruleText).join('\n');
  const why = `user ${JSON.stringify(user.name)} (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines}`;
  throw forbidden(type, object.metadata.name, why);
}
