import type { KubeObject, ResourceStore } from '../../store/types.ts';
import { recordAt, recordsAt, textAt } from '../admission/members.ts';
import type { User } from '../context.ts';
import { accountUser } from '../service-account.ts';
import type { AccessRequest } from './access-request.ts';
import { ruleAllows } from './rules.ts';
import type { PolicyRule } from './rules.ts';

export interface Verdict {
  readonly allowed: boolean;
  /** By what; '' when nothing allows it. */
  readonly reason: string;
}

/** Says who may do what, by the roles and bindings in the store (role-based access control). */
export interface Authorizer {
  decide(request: AccessRequest): Verdict;
  /** Everything that is allowed to `user` in a namespace, or at the cluster scope when it is undefined. */
  rulesOf(user: User, namespace: string | undefined): readonly PolicyRule[];
  /** The rules of the role that a binding in `namespace` refers to; none when it is not there. */
  rulesOfRole(roleRef: Record<string, unknown>, namespace: string | undefined): readonly PolicyRule[];
}

const GROUP = 'rbac.authorization.k8s.io';
const ADMINISTRATORS = 'system:masters';

export function isAdministrator(user: User): boolean {
  return user.groups.includes(ADMINISTRATORS);
}

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export function createAuthorizer(store: ResourceStore): Authorizer {
  const rulesOfRole: Authorizer['rulesOfRole'] = (roleRef, namespace) => {
    const isNamespaced = textAt(roleRef, 'kind') === 'Role';
    const resource = isNamespaced ? `roles.${GROUP}` : `clusterroles.${GROUP}`;
    const role = store.get(resource, isNamespaced ? namespace : undefined, textAt(roleRef, 'name') ?? '');
    return recordsAt(role, 'rules');
  };
  const grants = (user: User, namespace: string | undefined): Grant[] =>
    [
      ...store.list(`clusterrolebindings.${GROUP}`),
      ...(namespace === undefined ? [] : store.list(`rolebindings.${GROUP}`, namespace)),
    ].flatMap((binding) => grantTo(user, binding, rulesOfRole));
  return {
    rulesOfRole,
    rulesOf: (user, namespace) =>
      isAdministrator(user) ? EVERYTHING : grants(user, namespace).flatMap(({ rules }) => rules),
    decide({ user, verb, to }) {
      if (isAdministrator(user)) return { allowed: true, reason: '' };
      const namespace = 'path' in to ? undefined : to.namespace;
      const grant = grants(user, namespace).find(({ rules }) =>
        rules.some((rule) => ruleAllows(rule, verb, to)),
      );
      return grant
        ? { allowed: true, reason: `RBAC: allowed by ${grant.words}` }
        : { allowed: false, reason: '' };
    },
  };
}

interface Grant {
  readonly words: string;
  readonly rules: readonly PolicyRule[];
}

function grantTo(user: User, binding: KubeObject, rulesOfRole: Authorizer['rulesOfRole']): Grant[] {
  const { namespace, name } = binding.metadata;
  const subject = recordsAt(binding, 'subjects').find((each) => isSubject(user, each, namespace));
  if (!subject) return [];
  const roleRef = recordAt(binding, 'roleRef');
  const where = namespace === undefined ? name : `${name}/${namespace}`;
  const role = `${textAt(roleRef, 'kind') ?? ''} "${textAt(roleRef, 'name') ?? ''}"`;
  const who = `${textAt(subject, 'kind') ?? ''} "${subjectName(subject)}"`;
  const words = `${binding.kind} "${where}" of ${role} to ${who}`;
  return [{ words, rules: rulesOfRole(roleRef, namespace) }];
}

function subjectName(subject: Record<string, unknown>): string {
  const name = textAt(subject, 'name') ?? '';
  return textAt(subject, 'kind') === 'ServiceAccount'
    ? `${name}/${textAt(subject, 'namespace') ?? ''}`
    : name;
}

/** @param namespace of the binding, which a service account without one is looked for in */
function isSubject(user: User, subject: Record<string, unknown>, namespace: string | undefined): boolean {
  const name = textAt(subject, 'name') ?? '';
  switch (textAt(subject, 'kind')) {
    case 'User':
      return user.name === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount':
      return user.name === accountUser(textAt(subject, 'namespace') ?? namespace ?? '', name);
    default:
      return false;
  }
}
