import type { EnvironmentView, JobView, ReportView, RunView } from '@updraft/control';
import type { Output } from '../output.ts';
import { testCounts } from './results.ts';
import { statusText } from './status.ts';
import { duration, table } from './table.ts';

interface Around {
  readonly runs: ReadonlyMap<number, RunView>;
  readonly environments: readonly EnvironmentView[];
}

/** The end: every job in a table, those of child pipelines below the job that started them, then the environments. */
export function summary(run: RunView, { runs, environments }: Around, output: Output): string {
  const head = ['STAGE', 'JOB', 'STATE', 'TIME', ''].map((cell) => output.style('bold', cell));
  const lines = [
    '',
    table([head, ...rowsOf(run, { runs, output, depth: 0 })]),
    '',
    environmentTable(environments, output),
    ...reportLines(
      [...runs.values()].flatMap((each) => each.jobs),
      output,
    ),
    verdict(run, output),
    goingOn([...runs.values()], output),
  ];
  return lines.filter((part) => part !== undefined).join('\n');
}

interface Rows {
  readonly runs: ReadonlyMap<number, RunView>;
  readonly output: Output;
  readonly depth: number;
}

function rowsOf(run: RunView, rows: Rows): readonly (readonly string[])[] {
  const indent = '  '.repeat(rows.depth);
  return run.jobs.flatMap((job) => {
    const child = job.childRun === undefined ? undefined : rows.runs.get(job.childRun);
    const row = [
      `${indent}${job.stage}`,
      `${indent}${job.name}`,
      statusText(job, rows.output),
      duration(job.durationMs),
      remarks(job),
    ];
    return [row, ...(child ? rowsOf(child, { ...rows, depth: rows.depth + 1 }) : [])];
  });
}

function remarks(job: JobView): string {
  return [
    job.coverage === undefined ? '' : `coverage ${job.coverage} %`,
    ...(job.reports ?? []).map(reportRemark),
    job.status === 'success' ? '' : (job.reason ?? ''),
    job.attempt > 1 ? `attempt ${job.attempt}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** What a report says, in a few words. */
function reportRemark(report: ReportView): string {
  switch (report.kind) {
    case 'tests': {
      const bad = report.failures + report.errors;
      const counts = [`${report.tests} tests`, bad > 0 ? `${bad} failed` : '', skippedText(report.skipped)];
      return counts.filter(Boolean).join(', ');
    }
    case 'coverage':
      return report.lineRate === undefined ? '' : `lines ${(report.lineRate * 100).toFixed(1)} %`;
    case 'findings': {
      const levels = Object.entries(report.bySeverity).map(([level, count]) => `${count} ${level}`);
      return `${report.type}: ${report.total === 0 ? 'no findings' : levels.join(', ')}`;
    }
    case 'kept':
      return '';
  }
}

const skippedText = (count: number): string => (count > 0 ? `${count} skipped` : '');

const SHOWN_TESTS = 10;

/** Tests that failed, by name: what one looks for first. */
function reportLines(jobs: readonly JobView[], output: Output): readonly string[] {
  return jobs.flatMap((job) => {
    const failed = (job.reports ?? []).flatMap((report) => (report.kind === 'tests' ? report.failed : []));
    const counts = testCounts(job);
    if (failed.length === 0 || !counts) return [];
    const shown = failed.slice(0, SHOWN_TESTS).map((test) => {
      const name = test.suite === '' ? test.name : `${test.suite} > ${test.name}`;
      return `  ${output.style('red', 'x')} ${name}${test.message === '' ? '' : `: ${test.message}`}`;
    });
    const count = (counts['failed'] ?? 0) + (counts['errors'] ?? 0);
    const more = count > shown.length ? [`  ... and ${count - shown.length} more`] : [];
    return [`Failed tests of ${job.name}:`, ...shown, ...more, ''];
  });
}

function verdict(run: RunView, output: Output): string {
  const colour = run.status === 'success' ? 'green' : run.status === 'manual' ? 'yellow' : 'red';
  const words: Partial<Record<RunView['status'], string>> = {
    success: 'passed',
    manual: 'is blocked by a manual job',
    skipped: 'ran no job',
  };
  const word = words[run.status] ?? run.status;
  return `Pipeline ${run.id} ${output.style(colour, word)} after ${duration(run.durationMs)}`;
}

/** How to go on where somebody has to start a job, or something failed. */
function goingOn(runs: readonly RunView[], output: Output): string | undefined {
  const lines = runs.flatMap((run) => {
    const waiting = run.jobs.filter((job) => job.status === 'manual' && job.childRun === undefined);
    const where = run.parent ? ` --run ${run.id}` : '';
    return waiting.map((job) => {
      const holds = job.allowFailure ? 'can be started' : 'waits to be started';
      return output.style('dim', `${job.name} ${holds}: updraft play ${shellWord(job.name)}${where}`);
    });
  });
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** As one types it in a shell. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

export function environmentTable(
  environments: readonly EnvironmentView[],
  output: Output,
): string | undefined {
  if (environments.length === 0) return undefined;
  // Where none is elsewhere, there is nothing to tell apart.
  const isElsewhere = environments.some(({ cluster }) => cluster !== undefined);
  const titles = ['ENVIRONMENT', 'STATE', 'TIER', 'REF', ...(isElsewhere ? ['CLUSTER'] : []), 'URL'];
  const head = titles.map((cell) => output.style('bold', cell));
  const rows = environments.map(({ name, state, tier, ref, cluster = 'embedded', url = '' }) => [
    name,
    state,
    tier,
    ref,
    ...(isElsewhere ? [cluster] : []),
    url,
  ]);
  return `${table([head, ...rows])}\n`;
}
