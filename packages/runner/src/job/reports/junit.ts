import { readXml } from './xml.ts';
import type { FailedTest } from './summary.ts';

const MOST_FAILED = 100;
const LONGEST_MESSAGE = 300;

/** What one or several JUnit files say together. */
export interface TestCounts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  seconds: number;
  readonly failed: FailedTest[];
}

export const noTests = (): TestCounts => ({
  tests: 0,
  failures: 0,
  errors: 0,
  skipped: 0,
  seconds: 0,
  failed: [],
});

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly seconds: number;
  verdict: 'passed' | 'failure' | 'error' | 'skipped';
  message: string;
}

/**
 * Adds a file's test cases to the counts. They are counted one by one, as GitLab does: the sums that suites declare
 * are often wrong. @throws UnreadableReport
 */
export async function readJunit(workspace: string, file: string, counts: TestCounts): Promise<void> {
  let current: Case | undefined;
  let wantsText = false;
  await readXml(workspace, file, {
    open(name, attributes) {
      if (name === 'testcase') current = caseOf(attributes);
      else if (current) wantsText = judge(current, name, attributes);
    },
    text(text) {
      if (current && wantsText && current.message === '') current.message = firstLine(text);
    },
    close(name) {
      wantsText = false;
      if (name !== 'testcase' || !current) return;
      count(current, counts);
      current = undefined;
    },
  });
}

const caseOf = (attributes: Readonly<Record<string, string>>): Case => ({
  suite: attributes['classname'] ?? '',
  name: attributes['name'] ?? '',
  seconds: secondsOf(attributes['time']),
  verdict: 'passed',
  message: '',
});

/** `1,234.5` is how some tools write more than a thousand seconds. */
function secondsOf(text: string | undefined): number {
  const seconds = Number((text ?? '0').replaceAll(',', ''));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

/** An element inside a test case. @returns its text is the message. */
function judge(current: Case, name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (name !== 'failure' && name !== 'error' && name !== 'skipped') return false;
  if (current.verdict === 'passed' || current.verdict === 'skipped') current.verdict = name;
  if (current.message === '') current.message = firstLine(attributes['message'] ?? '');
  return name !== 'skipped';
}

const firstLine = (text: string): string => (text.trim().split('\n')[0] ?? '').slice(0, LONGEST_MESSAGE);

function count(test: Case, counts: TestCounts): void {
  counts.tests += 1;
  counts.seconds += test.seconds;
  if (test.verdict === 'skipped') counts.skipped += 1;
  if (test.verdict === 'failure') counts.failures += 1;
  if (test.verdict === 'error') counts.errors += 1;
  if ((test.verdict === 'failure' || test.verdict === 'error') && counts.failed.length < MOST_FAILED) {
    const { suite, name, verdict: kind, message } = test;
    counts.failed.push({ suite, name, kind, message });
  }
}
