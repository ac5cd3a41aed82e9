import type { Artifacts, Cache } from '../pipeline.ts';
import { isText } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { REPORT_TYPES } from './artifacts.table.ts';
import { durationOrNever } from './common.ts';
import {
  filledText,
  flag,
  listOf,
  mapped,
  notNull,
  oneOf,
  oneOrList,
  record,
  refuse,
  report,
  text,
  unsupported,
} from './readers.ts';
import type { Fields, Read, Reader, Scope } from './readers.ts';

const paths = listOf(text);
const reportPaths = oneOrList(filledText);

const singlePath: Reader<readonly string[]> = mapped(text, (path) => [path]);

const coverageReport: Reader<readonly string[]> = mapped(
  record(
    { coverage_format: oneOf('cobertura', 'jacoco'), path: filledText },
    { required: ['coverage_format', 'path'] },
  ),
  (read) => (read.path === undefined ? undefined : [read.path]),
);

const REPORTS: Fields = {
  ...Object.fromEntries(
    Object.entries(REPORT_TYPES).map(([type, paths]) => [
      type,
      notNull(paths === 'single' ? singlePath : reportPaths),
    ]),
  ),
  coverage_report: coverageReport,
};

const reports = record(REPORTS) as Reader<Readonly<Record<string, readonly string[]>>>;

const whenUploaded = oneOf('on_success', 'on_failure', 'always');

const MAX_EXPOSED = 100;

const exposeAs: Reader<string> = (tree, scope) => {
  const name = filledText(tree, scope);
  if (name === undefined || (/^\w[\w -]*$/.test(name) && name.length <= MAX_EXPOSED)) return name;
  return refuse(scope, tree, `at most ${MAX_EXPOSED} letters, digits, spaces, - and _`);
};

const fields = record({
  paths,
  exclude: paths,
  untracked: flag,
  name: text,
  when: whenUploaded,
  expire_in: durationOrNever,
  expose_as: exposeAs,
  access: unsupported(oneOf('all', 'developer', 'maintainer', 'none'), 'everything is open to who runs it'),
  public: unsupported(flag, 'everything is open to who runs it'),
  reports,
});

const DAY = 86_400;
const DEFAULT_EXPIRY = 30 * DAY;

export const DEFAULT_ARTIFACTS: Artifacts = {
  paths: [],
  exclude: [],
  untracked: false,
  name: undefined,
  when: 'on_success',
  expireInSeconds: DEFAULT_EXPIRY,
  exposeAs: undefined,
  reports: {},
};

export const artifacts: Reader<Artifacts> = mapped(fields, (read, tree, scope) => {
  checkExposed(read, tree, scope);
  if (read.access !== undefined && read.public !== undefined) {
    report(
      scope,
      'conflicting-keywords',
      tree.at,
      'artifacts:access and artifacts:public exclude each other',
    );
  }
  return {
    paths: read.paths ?? [],
    exclude: read.exclude ?? [],
    untracked: read.untracked ?? false,
    name: read.name,
    when: read.when ?? 'on_success',
    expireInSeconds: read.expire_in === null ? undefined : (read.expire_in ?? DEFAULT_EXPIRY),
    exposeAs: read.expose_as,
    ...accessOf(read),
    reports: read.reports ?? {},
  };
});

function checkExposed(
  { expose_as: name, paths: exposed }: Read<typeof fields>,
  tree: Tree,
  scope: Scope,
): void {
  if (name === undefined) return;
  if (!exposed || exposed.length === 0)
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:expose_as needs ${scope.keyword}:paths`);
  else if (exposed.some((path) => path.includes('*')))
    report(scope, 'conflicting-keywords', tree.at, `${scope.keyword}:expose_as takes no paths with *`);
}

/** Nothing runs on it here, but what was asked for is shown. */
function accessOf({ access, public: isPublic }: Read<typeof fields>): Pick<Artifacts, 'access'> {
  if (access !== undefined) return { access };
  return isPublic === undefined ? {} : { access: isPublic ? 'all' : 'developer' };
}

const keyText: Reader<string> = (tree, scope) => {
  const key = text(tree, scope);
  if (key === undefined) return undefined;
  if (/\/|%2f/i.test(key)) return refuse(scope, tree, 'without "/"');
  return /^\.+$/.test(key) ? refuse(scope, tree, 'more than dots') : key;
};

const keyFiles = listOf(filledText, { min: 1, max: 2 });

const keyFields = record({ files: keyFiles, files_commits: keyFiles, prefix: keyText });

const cacheKey: Reader<Cache['key']> = (tree, scope) => {
  if (tree.kind !== 'map') return keyText(tree, scope);
  const read = keyFields(tree, scope);
  if (!read) return undefined;
  const { files, files_commits: commits, prefix } = read;
  if (files && commits) {
    const message = `${scope.keyword}:files and ${scope.keyword}:files_commits exclude each other`;
    return report(scope, 'conflicting-keywords', tree.at, message);
  }
  if (files) return { files, prefix, by: 'content' };
  if (commits) return { files: commits, prefix, by: 'commits' };
  if (!tree.entries.has('files') && !tree.entries.has('files_commits')) {
    report(scope, 'missing-keyword', tree.at, `${scope.keyword}:files is missing`);
  }
  return undefined;
};

const POLICIES = ['pull-push', 'pull', 'push'];

const policy: Reader<string> = (tree, scope) =>
  isText(tree) && (POLICIES.includes(tree.value) || tree.value.includes('$'))
    ? tree.value
    : refuse(scope, tree, 'pull-push, pull, push or a variable');

const cacheFields = record({
  key: cacheKey,
  paths,
  untracked: flag,
  policy,
  when: whenUploaded,
  fallback_keys: listOf(filledText, { max: 5 }),
  unprotect: flag,
});

const cache: Reader<Cache> = mapped(cacheFields, (read: Read<typeof cacheFields>) => ({
  key: read.key ?? 'default',
  fallbackKeys: read.fallback_keys ?? [],
  paths: read.paths ?? [],
  untracked: read.untracked ?? false,
  policy: read.policy ?? 'pull-push',
  when: read.when ?? 'on_success',
  ...(read.unprotect === undefined ? {} : { unprotect: read.unprotect }),
}));

export const caches: Reader<readonly Cache[]> = oneOrList(cache, { max: 4 });
