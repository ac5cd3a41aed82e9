/** What reports say, as data. `problems` are sentences: a report that could not be read, or not whole. */
interface Report {
  /** The keyword below `artifacts:reports`. */
  readonly type: string;
  readonly files: number;
  readonly problems: readonly string[];
}

/** A test that did not pass. */
export interface FailedTest {
  readonly suite: string;
  readonly name: string;
  readonly kind: 'failure' | 'error';
  /** The first line of what the test said. */
  readonly message: string;
}

/** `junit`. */
export interface TestReport extends Report {
  readonly kind: 'tests';
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
  readonly seconds: number;
  /** The first 100. */
  readonly failed: readonly FailedTest[];
}

/** `coverage_report`: Cobertura or JaCoCo. Rates from 0 to 1; undefined when the report does not say. */
export interface CoverageReport extends Report {
  readonly kind: 'coverage';
  readonly lineRate: number | undefined;
  readonly linesCovered: number | undefined;
  readonly linesValid: number | undefined;
}

/** `codequality`, and the security scanners' reports: what was found, by severity. */
export interface FindingsReport extends Report {
  readonly kind: 'findings';
  readonly total: number;
  readonly bySeverity: Readonly<Record<string, number>>;
}

/** Any other report: its files are kept with the job. */
export interface KeptReport extends Report {
  readonly kind: 'kept';
}

export type ReportSummary = TestReport | CoverageReport | FindingsReport | KeptReport;
