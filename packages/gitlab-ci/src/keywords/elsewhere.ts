/** Keywords that are GitLab's, but need its server: their shapes are checked, and what happens instead is said. */
import { isText } from '../tree.ts';
import { script, variableValue } from './common.ts';
import {
  anything,
  filledText,
  flag,
  listOf,
  mapOf,
  notNull,
  oneOf,
  oneOrList,
  record,
  refuse,
  report,
  text,
  unsupported,
} from './readers.ts';
import type { Reader } from './readers.ts';
import { INPUT_TYPES, fitsType } from './spec.ts';

export const hooks = unsupported(
  record({ pre_get_sources_script: script }),
  'the files are there before a hook could run',
);

const audience = oneOrList(filledText, { min: 1 });

export const idTokens = unsupported(
  mapOf(record({ aud: audience }, { required: ['aud'] })),
  'set variables of these names for the project',
);

const engine = record({ name: filledText, path: filledText }, { required: ['name', 'path'] });
const vault = record(
  { engine, path: filledText, field: filledText },
  { required: ['engine', 'path', 'field'] },
);
const textOr =
  <T>(reader: Reader<T>): Reader<T | string> =>
  (tree, scope) =>
    isText(tree) ? filledText(tree, scope) : reader(tree, scope);

const PROVIDERS = {
  vault: textOr(vault),
  gcp_secret_manager: record({ name: filledText, version: variableValue }, { required: ['name'] }),
  azure_key_vault: record({ name: filledText, version: variableValue }, { required: ['name'] }),
  aws_secrets_manager: textOr(
    record({
      secret_id: filledText,
      version_id: filledText,
      version_stage: filledText,
      region: filledText,
      role_arn: filledText,
      role_session_name: filledText,
      field: filledText,
    }),
  ),
  gitlab_secrets_manager: record({ name: filledText, source: filledText }, { required: ['name'] }),
};

const secretFields = record({ ...PROVIDERS, file: flag, token: filledText });

const secret: Reader<unknown> = (tree, scope) => {
  const read = secretFields(tree, scope);
  if (!read || tree.kind !== 'map') return undefined;
  const given = Object.keys(PROVIDERS).filter((provider) => tree.entries.has(provider));
  if (given.length !== 1) {
    report(
      scope,
      given.length === 0 ? 'missing-keyword' : 'conflicting-keywords',
      tree.at,
      `${scope.keyword} must name exactly one of ${Object.keys(PROVIDERS).join(', ')}`,
    );
  }
  if (given[0] === 'gcp_secret_manager' && read.token === undefined) {
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:token is missing`);
  }
  return read;
};

export const secrets = unsupported(mapOf(secret), 'set variables of these names for the project');

export const identity = unsupported(oneOf('google_cloud'), 'jobs get no cloud identity');

const link = record(
  {
    name: filledText,
    url: filledText,
    filepath: filledText,
    link_type: oneOf('runbook', 'package', 'image', 'other'),
  },
  { required: ['name', 'url'] },
);

export const release = unsupported(
  record(
    {
      tag_name: filledText,
      tag_message: text,
      description: filledText,
      name: filledText,
      ref: filledText,
      milestones: oneOrList(filledText),
      released_at: filledText,
      assets: record({ links: listOf(link, { min: 1 }) }),
    },
    { required: ['tag_name', 'description'] },
  ),
  'no release is made',
);

const pagesFields = record({ publish: filledText, path_prefix: text, expire_in: text });

export const pages = unsupported<unknown>(
  (tree, scope) => (tree.kind === 'map' ? pagesFields(tree, scope) : flag(tree, scope)),
  'no page is published',
);

export const publish = unsupported(filledText, 'no page is published');

export const dastConfiguration = unsupported(
  record({ site_profile: text, scanner_profile: text }),
  'no scan is started',
);

const stepEnvironment = mapOf(variableValue);
const gitStep = record(
  { url: filledText, rev: filledText, dir: text, file: text },
  { required: ['url', 'rev'] },
);
const ociStep = record(
  { registry: filledText, repository: filledText, tag: filledText, dir: text, file: text },
  { required: ['registry', 'repository', 'tag'] },
);
const stepSource = textOr(record({ git: gitStep, oci: ociStep }));

const stepFields = record(
  {
    name: filledText,
    script: text,
    step: stepSource,
    func: stepSource,
    env: stepEnvironment,
    inputs: mapOf(anything),
  },
  { required: ['name'] },
);

const step: Reader<unknown> = (tree, scope) => {
  const read = stepFields(tree, scope);
  if (!read || tree.kind !== 'map') return undefined;
  const kinds = ['script', 'step', 'func'].filter((key) => tree.entries.has(key));
  if (kinds.length !== 1)
    report(
      scope,
      'conflicting-keywords',
      tree.at,
      `${scope.keyword} must have exactly one of script, step and func`,
    );
  if (kinds[0] === 'script' && tree.entries.has('inputs')) {
    report(scope, 'conflicting-keywords', tree.at, `${scope.keyword}: a script takes no inputs`);
  }
  return read;
};

export const run = listOf(step, { min: 1 });

const inputFields = record(
  {
    type: oneOf(...INPUT_TYPES),
    default: notNull(anything),
    description: text,
    options: listOf(variableValue),
    regex: text,
  },
  { required: ['default'] },
);

const input: Reader<unknown> = (tree, scope) => {
  const read = inputFields(tree, scope);
  const type = read?.type ?? 'string';
  const value = read?.default;
  if (value && !fitsType(value, type)) {
    refuse({ ...scope, keyword: `${scope.keyword}:default` }, value, `of type ${type}`);
  }
  return read;
};

export const jobInputs = unsupported(mapOf(input), 'the defaults are not put in yet');

const PROJECT_PATH = /^(?=[^]*(?:\/|\$))(?!\/)[\w.${}\-/]*[^/]$/;

const projectPath: Reader<string> = (tree, scope) =>
  isText(tree) && PROJECT_PATH.test(tree.value)
    ? tree.value
    : refuse(scope, tree, 'the path of a project, such as group/project');

const inputs = mapOf(anything);

const triggerInclude: Reader<unknown> = (tree, scope) => {
  if (isText(tree)) return tree.value;
  const read = record({
    local: filledText,
    template: filledText,
    artifact: filledText,
    job: filledText,
    project: projectPath,
    file: oneOrList(filledText),
    ref: filledText,
    component: filledText,
    remote: filledText,
    integrity: filledText,
    inputs,
    rules: anything,
  })(tree, scope);
  if (!read || tree.kind !== 'map') return undefined;
  for (const [key, other] of [
    ['project', 'file'],
    ['file', 'project'],
    ['artifact', 'job'],
  ] as const) {
    if (tree.entries.has(key) && !tree.entries.has(other)) {
      report(scope, 'missing-keyword', tree.at, `${scope.keyword}:${other} is missing beside ${key}`);
    }
  }
  return read;
};

const triggerFields = record({
  project: projectPath,
  branch: filledText,
  include: (tree, scope) =>
    tree.kind === 'list'
      ? listOf(triggerInclude, { min: 1, max: 3 })(tree, scope)
      : triggerInclude(tree, scope),
  strategy: oneOf('depend', 'mirror'),
  forward: record({ yaml_variables: flag, pipeline_variables: flag }),
  inputs,
});

export const trigger: Reader<unknown> = (tree, scope) => {
  if (tree.kind !== 'map') return projectPath(tree, scope);
  const read = triggerFields(tree, scope);
  if (read && !tree.entries.has('project') && !tree.entries.has('include')) {
    report(scope, 'missing-keyword', tree.at, 'trigger must name a project or an include');
  }
  return read;
};
