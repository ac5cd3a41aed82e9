import type { CommitFacts, Variable } from '../pipeline.ts';
import { refSlug, stableId } from './slug.ts';

export interface PredefinedOptions {
  /** CI_PIPELINE_SOURCE; default `push`. */
  readonly source?: string;
  /** ISO 8601. */
  readonly createdAt?: string;
  readonly configPath?: string;
}

/** The GitLab version claimed, because templates compare it. */
const SERVER_VERSION = '18.3.0';

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
    CI_CONFIG_PATH: options.configPath ?? '.gitlab-ci.yml',
    CI_PIPELINE_SOURCE: options.source ?? 'push',
    CI_PIPELINE_CREATED_AT: options.createdAt,
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
    CI_COMMIT_BRANCH: facts.tag === undefined ? facts.branch : undefined,
    CI_COMMIT_TAG: facts.tag,
    CI_COMMIT_TAG_MESSAGE: facts.tag === undefined ? undefined : (facts.tagMessage ?? ''),
    CI_COMMIT_REF_NAME: ref,
    CI_COMMIT_REF_SLUG: refSlug(ref),
    CI_COMMIT_REF_PROTECTED: String(facts.tag !== undefined || facts.branch === facts.defaultBranch),
    CI_COMMIT_TITLE: title,
    CI_COMMIT_MESSAGE: facts.message,
    CI_COMMIT_DESCRIPTION: title.length < LONG_TITLE ? rest : facts.message,
    CI_COMMIT_AUTHOR: facts.author,
    CI_COMMIT_TIMESTAMP: facts.timestamp,
    CI_DEFAULT_BRANCH: facts.defaultBranch,
    CI_DEFAULT_BRANCH_SLUG: refSlug(facts.defaultBranch),
  };
}

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
