import { describe, expect, it } from 'vitest';
import type { CommitFacts } from '../pipeline.ts';
import { jobOnlyVariables, predefinedVariables } from './predefined.ts';
import type { PredefinedOptions } from './predefined.ts';

const BRANCH: CommitFacts = {
  sha: 'a'.repeat(40),
  beforeSha: 'b'.repeat(40),
  branch: 'feat/Search',
  tag: undefined,
  tagMessage: undefined,
  message: 'Draft: search\n\nBody\n',
  author: 'Ada <ada@example.org>',
  timestamp: '2026-01-02T03:04:05+01:00',
  defaultBranch: 'main',
  projectName: 'Book',
  projectPath: 'Group/sub/Book',
  projectUrl: 'https://gitlab.com/Group/sub/Book',
  userName: 'Ada',
  userEmail: 'ada@example.org',
  changedPaths: [],
};
const MERGE_REQUEST: CommitFacts = {
  ...BRANCH,
  mergeRequest: {
    iid: 7,
    title: 'Draft: search',
    sourceBranch: 'feat/Search',
    targetBranch: 'main',
    diffBaseSha: 'c'.repeat(40),
  },
};
const TAG: CommitFacts = { ...BRANCH, branch: undefined, tag: 'v1.0', tagMessage: undefined };

const valuesOf = (facts: CommitFacts, options?: PredefinedOptions): Record<string, string> =>
  Object.fromEntries(predefinedVariables(facts, options).map(({ key, value }) => [key, value]));

describe('predefined variables', () => {
  it('of a branch', () => {
    const values = valuesOf(BRANCH);
    expect(values).toMatchObject({
      CI_COMMIT_BRANCH: 'feat/Search',
      CI_COMMIT_REF_NAME: 'feat/Search',
      CI_COMMIT_REF_SLUG: 'feat-search',
      CI_COMMIT_REF_PROTECTED: 'false',
      CI_PIPELINE_SOURCE: 'push',
      CI_REGISTRY_IMAGE: 'registry.gitlab.com/group/sub/book',
      CI_PAGES_URL: 'https://group.gitlab.io/sub/book',
    });
    for (const name of [
      'CI_COMMIT_TAG',
      'CI_MERGE_REQUEST_IID',
      'CI_OPEN_MERGE_REQUESTS',
      'CI_PIPELINE_TRIGGERED',
    ]) {
      expect(values).not.toHaveProperty(name);
    }
  });

  it('of a tag', () => {
    const values = valuesOf(TAG);
    expect(values).toMatchObject({
      CI_COMMIT_TAG: 'v1.0',
      CI_COMMIT_TAG_MESSAGE: '',
      CI_COMMIT_REF_NAME: 'v1.0',
    });
    expect(values).not.toHaveProperty('CI_COMMIT_BRANCH');
  });

  it('of a merge request', () => {
    const values = valuesOf(MERGE_REQUEST, { source: 'merge_request_event' });
    expect(values).toMatchObject({
      CI_COMMIT_REF_NAME: 'feat/Search',
      CI_OPEN_MERGE_REQUESTS: 'Group/sub/Book!7',
      CI_MERGE_REQUEST_IID: '7',
      CI_MERGE_REQUEST_TITLE: 'Draft: search',
      CI_MERGE_REQUEST_DRAFT: 'true',
      CI_MERGE_REQUEST_EVENT_TYPE: 'detached',
      CI_MERGE_REQUEST_REF_PATH: 'refs/merge-requests/7/head',
      CI_MERGE_REQUEST_PROJECT_PATH: 'Group/sub/Book',
      CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'feat/Search',
      CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED: 'false',
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED: 'true',
      CI_MERGE_REQUEST_DIFF_BASE_SHA: 'c'.repeat(40),
    });
    // A merge-request pipeline is of no branch; the commits are those of merged results only.
    for (const name of [
      'CI_COMMIT_BRANCH',
      'CI_MERGE_REQUEST_SOURCE_BRANCH_SHA',
      'CI_MERGE_REQUEST_LABELS',
    ]) {
      expect(values).not.toHaveProperty(name);
    }
  });

  it('are unset when they cannot be known, not empty', () => {
    const request = { ...MERGE_REQUEST.mergeRequest!, diffBaseSha: undefined };
    const values = valuesOf({ ...MERGE_REQUEST, mergeRequest: request, projectUrl: undefined });
    for (const name of [
      'CI_MERGE_REQUEST_DIFF_BASE_SHA',
      'CI_MERGE_REQUEST_DIFF_ID',
      'CI_PROJECT_URL',
      'CI_REGISTRY',
      'CI_PAGES_URL',
      'CI_PIPELINE_SCHEDULE_DESCRIPTION',
    ]) {
      expect(values).not.toHaveProperty(name);
    }
  });

  it('of schedules and triggers', () => {
    const scheduleDescription = 'nightly';
    const scheduled = { ...BRANCH, scheduleDescription };
    expect(valuesOf(scheduled, { source: 'schedule' })).toMatchObject({
      CI_PIPELINE_SOURCE: 'schedule',
      CI_PIPELINE_SCHEDULE_DESCRIPTION: 'nightly',
    });
    expect(valuesOf(scheduled)).not.toHaveProperty('CI_PIPELINE_SCHEDULE_DESCRIPTION');
    expect(valuesOf(BRANCH, { source: 'trigger' })).toMatchObject({ CI_PIPELINE_TRIGGERED: 'true' });
  });

  it.each([
    [BRANCH, undefined, 'false'],
    [{ ...BRANCH, branch: 'main' }, undefined, 'true'],
    [TAG, undefined, 'false'],
    [TAG, ['main', 'v*'], 'true'],
    [BRANCH, ['feat/*'], 'true'],
  ] as const)('know a protected ref (%#)', (facts, protectedRefs, expected) => {
    const given = protectedRefs ? { ...facts, protectedRefs } : facts;
    expect(valuesOf(given).CI_COMMIT_REF_PROTECTED).toBe(expected);
  });

  it('hold none that exists in scripts alone', () => {
    for (const name of Object.keys(valuesOf(MERGE_REQUEST))) expect(jobOnlyVariables).not.toContain(name);
  });
});
