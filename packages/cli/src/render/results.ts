import type { JobView, ReportView, RunView } from '@updraft/control';
import type { Watched } from '../commands/watch.ts';
import { clean } from './run.ts';

/** The jobs of a run as JSON, those of its child pipelines after it, each with the number of its pipeline. */
export function jsonResults({ run, runs, logs }: Watched): readonly object[] {
  if (!run) return [];
  const children = [...runs.values()].filter((each) => each.id !== run.id).toSorted((a, b) => a.id - b.id);
  return [run, ...children].flatMap((each) => each.jobs.map((job) => jsonJob(each, job, logs)));
}

function jsonJob(run: RunView, job: JobView, logs: ReadonlyMap<string, string>): object {
  return {
    name: job.name,
    stage: job.stage,
    status: job.status,
    exit_code: job.exitCode ?? null,
    duration_ms: job.durationMs === undefined ? null : Math.round(job.durationMs),
    allow_failure: job.allowFailure,
    reason: job.reason ?? null,
    attempt: job.attempt,
    coverage: job.coverage ?? null,
    tests: testCounts(job),
    reports: (job.reports ?? []).map(jsonReport),
    artifacts: jsonArtifacts(job),
    environment: job.environment ?? null,
    notes: job.notes,
    pipeline: run.id,
    ...(run.parent ? { parent: { pipeline: run.parent.run, job: run.parent.job } } : {}),
    ...(job.childRun === undefined ? {} : { child_pipeline: job.childRun }),
    output: clean(logs.get(`${run.id}/${job.name}`) ?? ''),
  };
}

/** All test reports of a job together. */
export function testCounts(job: JobView): Record<string, number> | null {
  const reports = (job.reports ?? []).filter((report) => report.kind === 'tests');
  if (reports.length === 0) return null;
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const total = sum((report) => report.tests);
  const failed = sum((report) => report.failures);
  const errors = sum((report) => report.errors);
  const skipped = sum((report) => report.skipped);
  return { total, passed: total - failed - errors - skipped, failed, errors, skipped };
}

function jsonReport(report: ReportView): object {
  const { type, files, problems } = report;
  const common = { type, files, problems };
  switch (report.kind) {
    case 'tests': {
      const { tests, failures, errors, skipped, seconds, failed } = report;
      return { ...common, tests, failures, errors, skipped, seconds, failed };
    }
    case 'coverage':
      return {
        ...common,
        line_rate: report.lineRate ?? null,
        lines_covered: report.linesCovered ?? null,
        lines_valid: report.linesValid ?? null,
      };
    case 'findings':
      return { ...common, total: report.total, by_severity: report.bySeverity };
    case 'kept':
      return common;
  }
}

function jsonArtifacts({ artifacts }: JobView): object | null {
  if (!artifacts) return null;
  const { name, files, bytes, exposeAs, expiresAt } = artifacts;
  return {
    name,
    files,
    bytes,
    ...(exposeAs === undefined ? {} : { expose_as: exposeAs }),
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  };
}
