import type { CommitFacts, Variable } from '../pipeline.ts';
import { refSlug, stableId } from './slug.ts';
import { matchesWildcard } from './wildcard.ts';

export interface PredefinedOptions {
  /** CI_PIPELINE_SOURCE; default `push`. */
  readonly source?: string;
  /** ISO 8601. */
  readonly createdAt?: string;
  readonly configPath?: string;
}

/** The GitLab version claimed, because templates compare it. */
export const SERVER_VERSION = '18.3.0';

/**
 * GitLab's predefined variables that hold for all jobs, as far as they can be known here; what can't be known is
 * left out, which is not the same as empty.
 */
export function predefinedVariables(
  facts: CommitFacts,
  options: PredefinedOptions = {},
): readonly Variable[] {
  const values: Record<string, string | undefined> = {
    CI: 'true',
    GITLAB_CI: 'true',
    ...commitVariables(facts),
    ...projectVariables(facts),
    ...serverVariables(facts),
    ...placeVariables(facts),
    ...mergeRequestVariables(facts),
    CI_CONFIG_PATH: options.configPath ?? '.gitlab-ci.yml',
    CI_PIPELINE_SOURCE: options.source ?? 'push',
    CI_PIPELINE_CREATED_AT: options.createdAt,
    CI_PIPELINE_TRIGGERED: options.source === 'trigger' ? 'true' : undefined,
    CI_PIPELINE_SCHEDULE_DESCRIPTION: options.source === 'schedule' ? facts.scheduleDescription : undefined,
    GITLAB_USER_ID: stableId(facts.userEmail),
    GITLAB_USER_LOGIN: refSlug(facts.userEmail.split('@', 1)[0] ?? '') || 'local',
    GITLAB_USER_NAME: facts.userName,
    GITLAB_USER_EMAIL: facts.userEmail,
  };
  // Values come from commits and names: a `$` in them is only a character.
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value, raw: true, source: 'predefined' as const }],
  );
}

const LONG_TITLE = 100;

function commitVariables(facts: CommitFacts): Record<string, string | undefined> {
  const [title = ''] = facts.message.split('\n', 1);
  const rest = facts.message.slice(title.length).replace(/^\n+/, '').trimEnd();
  const ref = facts.tag ?? facts.branch ?? facts.sha;
  return {
    CI_COMMIT_SHA: facts.sha,
    CI_COMMIT_SHORT_SHA: facts.sha.slice(0, 8),
    CI_COMMIT_BEFORE_SHA: facts.beforeSha,
    CI_COMMIT_BRANCH: facts.tag === undefined && !facts.mergeRequest ? facts.branch : undefined,
    CI_COMMIT_TAG: facts.tag,
    CI_COMMIT_TAG_MESSAGE: facts.tag === undefined ? undefined : (facts.tagMessage ?? ''),
    CI_COMMIT_REF_NAME: ref,
    CI_COMMIT_REF_SLUG: refSlug(ref),
    CI_COMMIT_REF_PROTECTED: String(isProtectedRef(facts, ref)),
    CI_COMMIT_TITLE: title,
    CI_COMMIT_MESSAGE: facts.message,
    CI_COMMIT_MESSAGE_IS_TRUNCATED: 'false',
    CI_COMMIT_DESCRIPTION: title.length < LONG_TITLE ? rest : facts.message,
    CI_COMMIT_AUTHOR: facts.author,
    CI_COMMIT_TIMESTAMP: facts.timestamp,
    CI_DEFAULT_BRANCH: facts.defaultBranch,
    CI_DEFAULT_BRANCH_SLUG: refSlug(facts.defaultBranch),
  };
}

/** Whether a branch or tag is protected: as in a new project, the default branch is, unless `protectedRefs` says else. */
export function isProtectedRef(facts: CommitFacts, ref: string): boolean {
  const patterns = facts.protectedRefs ?? [facts.defaultBranch];
  return patterns.some((pattern) => matchesWildcard(pattern, ref));
}

/** Of a merge request of this project with itself, before anybody has opened, labelled or approved it. */
function mergeRequestVariables(facts: CommitFacts): Record<string, string | undefined> {
  const { mergeRequest: request } = facts;
  if (!request) return {};
  const reference = `${facts.projectPath}!${request.iid}`;
  const project = {
    ID: stableId(facts.projectPath),
    PATH: facts.projectPath,
    URL: facts.projectUrl,
  };
  return {
    CI_OPEN_MERGE_REQUESTS: reference,
    CI_MERGE_REQUEST_ID: stableId(reference),
    CI_MERGE_REQUEST_IID: String(request.iid),
    CI_MERGE_REQUEST_TITLE: request.title,
    CI_MERGE_REQUEST_DRAFT: String(/^\s*(?:\[draft\]|\(draft\)|draft:)/i.test(request.title)),
    CI_MERGE_REQUEST_EVENT_TYPE: 'detached',
    CI_MERGE_REQUEST_REF_PATH: `refs/merge-requests/${request.iid}/head`,
    CI_MERGE_REQUEST_SQUASH_ON_MERGE: 'false',
    CI_MERGE_REQUEST_PROJECT_ID: project.ID,
    CI_MERGE_REQUEST_PROJECT_PATH: project.PATH,
    CI_MERGE_REQUEST_PROJECT_URL: project.URL,
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: project.ID,
    CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: project.PATH,
    CI_MERGE_REQUEST_SOURCE_PROJECT_URL: project.URL,
    CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: request.sourceBranch,
    CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED: String(isProtectedRef(facts, request.sourceBranch)),
    CI_MERGE_REQUEST_TARGET_BRANCH_NAME: request.targetBranch,
    CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED: String(isProtectedRef(facts, request.targetBranch)),
    CI_MERGE_REQUEST_DIFF_ID: request.diffBaseSha && stableId(`${request.diffBaseSha}..${facts.sha}`),
    CI_MERGE_REQUEST_DIFF_BASE_SHA: request.diffBaseSha,
  };
}

/**
 * Where images and pages of the project lie. Only gitlab.com's addresses follow from the project's; another server's
 * are not known here. A dependency proxy is a door to Docker Hub, which is here gone to directly.
 */
function placeVariables(facts: CommitFacts): Record<string, string | undefined> {
  const hub = 'docker.io';
  const images = {
    CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX: hub,
    CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX: hub,
  };
  if (serverOf(facts.projectUrl).fqdn !== 'gitlab.com') return images;
  const [root = '', ...rest] = facts.projectPath.toLowerCase().split('/');
  return {
    ...images,
    CI_REGISTRY: 'registry.gitlab.com',
    CI_REGISTRY_IMAGE: `registry.gitlab.com/${facts.projectPath.toLowerCase()}`,
    CI_PAGES_DOMAIN: 'gitlab.io',
    CI_PAGES_URL: `https://${root}.gitlab.io/${rest.join('/')}`,
    CI_PAGES_HOSTNAME: `${root}.gitlab.io`,
  };
}

/**
 * Variables that exist in scripts alone: a rule that looks at one finds null, whatever the job gets later. Those of
 * the runner, and those that are decided when the job starts.
 */
export const jobOnlyVariables: ReadonlySet<string> = new Set([
  'CI_BUILDS_DIR',
  'CI_CONCURRENT_ID',
  'CI_CONCURRENT_PROJECT_ID',
  'CI_DISPOSABLE_ENVIRONMENT',
  'CI_JOB_ID',
  'CI_JOB_STARTED_AT',
  'CI_JOB_STATUS',
  'CI_JOB_TIMEOUT',
  'CI_JOB_TOKEN',
  'CI_JOB_URL',
  'CI_PIPELINE_ID',
  'CI_PIPELINE_NAME',
  'CI_PIPELINE_URL',
  'CI_PROJECT_DIR',
  'CI_REPOSITORY_URL',
  'CI_RUNNER_DESCRIPTION',
  'CI_RUNNER_EXECUTABLE_ARCH',
  'CI_RUNNER_ID',
  'CI_RUNNER_REVISION',
  'CI_RUNNER_SHORT_TOKEN',
  'CI_RUNNER_TAGS',
  'CI_RUNNER_VERSION',
  'CI_SERVER_TLS_CA_FILE',
  'CI_SERVER_TLS_CERT_FILE',
  'CI_SERVER_TLS_KEY_FILE',
  'CI_SHARED_ENVIRONMENT',
]);

function projectVariables(facts: CommitFacts): Record<string, string | undefined> {
  const namespace = facts.projectPath.split('/').slice(0, -1).join('/');
  return {
    CI_PROJECT_ID: stableId(facts.projectPath),
    CI_PROJECT_NAME: facts.projectName,
    CI_PROJECT_TITLE: facts.projectName,
    CI_PROJECT_DESCRIPTION: '',
    CI_PROJECT_PATH: facts.projectPath,
    CI_PROJECT_PATH_SLUG: refSlug(facts.projectPath),
    CI_PROJECT_NAMESPACE: namespace,
    CI_PROJECT_NAMESPACE_ID: stableId(namespace),
    CI_PROJECT_NAMESPACE_SLUG: refSlug(namespace),
    CI_PROJECT_ROOT_NAMESPACE: namespace.split('/', 1)[0],
    CI_PROJECT_URL: facts.projectUrl,
    CI_PROJECT_VISIBILITY: 'private',
    CI_PROJECT_CLASSIFICATION_LABEL: '',
    CI_PROJECT_REPOSITORY_LANGUAGES: '',
  };
}

function serverVariables(facts: CommitFacts): Record<string, string | undefined> {
  const [major = '', minor = '', patch = ''] = SERVER_VERSION.split('.');
  const { protocol, host, port, fqdn } = serverOf(facts.projectUrl);
  const url = `${protocol}://${fqdn}`;
  return {
    CI_SERVER: 'yes',
    CI_SERVER_NAME: 'GitLab',
    CI_SERVER_HOST: host,
    CI_SERVER_FQDN: fqdn,
    CI_SERVER_PORT: port,
    CI_SERVER_PROTOCOL: protocol,
    CI_SERVER_URL: url,
    CI_SERVER_SHELL_SSH_HOST: host,
    CI_SERVER_SHELL_SSH_PORT: '22',
    CI_SERVER_VERSION: SERVER_VERSION,
    CI_SERVER_VERSION_MAJOR: major,
    CI_SERVER_VERSION_MINOR: minor,
    CI_SERVER_VERSION_PATCH: patch,
    CI_API_V4_URL: `${url}/api/v4`,
    CI_API_GRAPHQL_URL: `${url}/api/graphql`,
    CI_TEMPLATE_REGISTRY_HOST: 'registry.gitlab.com',
    GITLAB_FEATURES: '',
  };
}

function serverOf(projectUrl = 'https://localhost/') {
  const [, protocol = 'https', host = 'localhost', given] =
    /^(https?):\/\/([^/:]+)(?::(\d+))?/.exec(projectUrl) ?? [];
  const port = given ?? (protocol === 'https' ? '443' : '80');
  return { protocol, host, port, fqdn: given === undefined ? host : `${host}:${port}` };
}
