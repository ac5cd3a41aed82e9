import type { Answer, User } from '../context.ts';
import { recordAt, textAt } from '../admission/members.ts';
import type { Members } from '../admission/members.ts';
import { takesObjects } from '../form.ts';
import { decodeBody } from '../request.ts';
import type { ApiRequest } from '../request.ts';
import { isRecord } from '../schema/conform.ts';
import { badRequest, notAcceptable } from '../status.ts';
import type { Target } from '../target.ts';
import type { TokenIssuer } from '../tokens.ts';
import type { AccessRequest } from './access-request.ts';
import type { Authorizer } from './authorizer.ts';

interface Review {
  readonly request: ApiRequest;
  readonly spec: Members;
  /** Of the path. */
  readonly namespace: string | undefined;
  readonly authorizer: Authorizer;
  readonly tokens: TokenIssuer;
}

/** Questions about access: asked by POST, answered at once, kept nowhere. undefined: there is no such question. */
export function review(
  parts: { readonly authorizer: Authorizer; readonly tokens: TokenIssuer },
  request: ApiRequest,
  target: Target,
): Answer | undefined {
  const answer = Object.hasOwn(REVIEWS, target.plural) ? REVIEWS[target.plural] : undefined;
  if (!answer) return undefined;
  if (!takesObjects(request.accept)) throw notAcceptable();
  const body = decodeBody(request);
  if (!isRecord(body)) throw badRequest('the object provided is unrecognized');
  const spec = recordAt(body, 'spec');
  const status = answer({ ...parts, request, spec, namespace: target.namespace });
  return { code: 201, body: { ...body, status } };
}

const REVIEWS: Readonly<Record<string, (review: Review) => unknown>> = {
  selfsubjectaccessreviews: ({ authorizer, spec, request }) => access(authorizer, spec, request.user),
  subjectaccessreviews: ({ authorizer, spec }) => access(authorizer, spec, userOf(spec)),
  localsubjectaccessreviews: ({ authorizer, spec, namespace = '' }) => {
    const asked = textAt(recordAt(spec, 'resourceAttributes'), 'namespace');
    if (asked !== namespace) throw badRequest(`must be the namespace of the request: ${namespace}`);
    return access(authorizer, spec, userOf(spec));
  },
  selfsubjectrulesreviews: ({ authorizer, spec, request }) => rules(authorizer, spec, request.user),
  selfsubjectreviews: ({ request }) => ({ userInfo: infoOf(request.user) }),
  tokenreviews: ({ spec, tokens }) => {
    const wanted = spec['audiences'];
    const audiences = Array.isArray(wanted) && wanted.length > 0 ? wanted.map(String) : undefined;
    const holder = tokens.review(textAt(spec, 'token') ?? '', audiences);
    if (!holder) return { authenticated: false, error: 'the token is not valid here' };
    return { authenticated: true, user: infoOf(holder), audiences: holder.audiences };
  },
};

function access(authorizer: Authorizer, spec: Members, user: User): unknown {
  const { allowed, reason } = authorizer.decide(asked(spec, user));
  return { allowed, ...(reason && { reason }) };
}

/** @throws ApiFault 400 unless it is about exactly one of a resource and a path */
function asked(spec: Members, user: User): AccessRequest {
  const [resource, path] = [recordAt(spec, 'resourceAttributes'), recordAt(spec, 'nonResourceAttributes')];
  const isPath = isRecord(spec['nonResourceAttributes']);
  if (isPath === isRecord(spec['resourceAttributes']))
    throw badRequest('exactly one of resourceAttributes and nonResourceAttributes must be given');
  if (isPath) return { user, verb: textAt(path, 'verb') ?? '', to: { path: textAt(path, 'path') ?? '' } };
  return {
    user,
    verb: textAt(resource, 'verb') ?? '',
    to: {
      group: textAt(resource, 'group') ?? '',
      resource: textAt(resource, 'resource') ?? '',
      subresource: textAt(resource, 'subresource') || undefined,
      namespace: textAt(resource, 'namespace') || undefined,
      name: textAt(resource, 'name') || undefined,
    },
  };
}

function userOf(spec: Members): User {
  const groups = Array.isArray(spec['groups']) ? spec['groups'].map(String) : [];
  return { name: textAt(spec, 'user') ?? '', groups };
}

function rules(authorizer: Authorizer, spec: Members, user: User): unknown {
  const all = authorizer.rulesOf(user, textAt(spec, 'namespace') || undefined);
  const isPath = (rule: (typeof all)[number]) => (rule.nonResourceURLs ?? []).length > 0;
  return {
    resourceRules: all.filter((rule) => !isPath(rule)),
    nonResourceRules: all.filter(isPath),
    incomplete: false,
  };
}

function infoOf(user: User): unknown {
  return { username: user.name, ...(user.uid ? { uid: user.uid } : {}), groups: user.groups };
}
