import type { CommitFacts } from '../pipeline.ts';

/** A push to main, with nothing to compare with. */
export const FACTS: CommitFacts = {
  sha: '0123456789abcdef0123456789abcdef01234567',
  beforeSha: '0'.repeat(40),
  branch: 'main',
  tag: undefined,
  tagMessage: undefined,
  message: 'A commit',
  author: 'Ada <ada@example.org>',
  timestamp: '2026-01-02T03:04:05+00:00',
  defaultBranch: 'main',
  projectName: 'book',
  projectPath: 'group/book',
  projectUrl: 'https://gitlab.example.org/group/book',
  userName: 'Ada',
  userEmail: 'ada@example.org',
  changedPaths: undefined,
};
