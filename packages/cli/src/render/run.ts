import type { EnvironmentView, JobView, ProblemView, RunEvent, RunView } from '@updraft/control';
import type { Output } from '../output.ts';
import { LiveLines } from './live.ts';
import { problemLines } from './problems.ts';
import { duration, padded, table } from './table.ts';

/** Lines of a failed job's log that are shown under it. */
const SHOWN_LOG_LINES = 40;

const FINAL = new Set(['success', 'failed', 'canceled', 'skipped', 'manual']);

/** Draws a run as it happens: a line for each change of a job, and on a terminal the running jobs below them. */
export class RunRenderer {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #live: LiveLines;
  readonly #logs = new Map<string, string>();
  readonly #running = new Map<string, { job: JobView; since: number }>();
  readonly #seen = new Map<string, string>();
  readonly #notes = new Set<string>();
  readonly #started: number;
  readonly #progress = new Map<string, number>();
  readonly #wantsLogs: boolean;
  run: RunView | undefined;
  problems: readonly ProblemView[] = [];

  constructor(output: Output, now: () => number, options: { logs: boolean }) {
    this.#output = output;
    this.#now = now;
    this.#started = now();
    this.#wantsLogs = options.logs;
    this.#live = new LiveLines(output, () => this.#footer());
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'run':
        this.run = event.run;
        this.#header(event.run);
        break;
      case 'problems':
        this.problems = [...this.problems, ...event.problems];
        this.#live.print(problemLines(event.problems, this.#output).join('\n'));
        break;
      case 'progress':
        this.#onProgress(event);
        break;
      case 'log':
        this.#onLog(event.job, event.text);
        break;
      case 'job':
        this.#onJob(event.job);
        break;
      case 'finished':
        this.run = event.run;
        break;
    }
  }

  close(): void {
    this.#live.close();
  }

  #header(run: RunView): void {
    const { style } = this.#output;
    this.#live.print(
      `${style('bold', run.project)} ${run.ref} ${style('dim', run.sha.slice(0, 8))} ${run.title}`,
    );
    this.#live.print(`${run.jobs.length} jobs in ${run.stages.join(' > ')}`);
  }

  #onProgress(event: { what: string; state: 'started' | 'done'; durationMs?: number }): void {
    if (event.state === 'started') this.#progress.set(event.what, this.#now());
    else this.#progress.delete(event.what);
    const tail = event.state === 'done' ? `done ${duration(event.durationMs)}` : '...';
    this.#live.print(`${this.#clock()} ${this.#output.style('dim', event.what)} ${tail}`);
  }

  #onLog(job: string, text: string): void {
    this.#logs.set(job, (this.#logs.get(job) ?? '') + text);
    if (!this.#wantsLogs) return;
    const name = this.#output.style('dim', `${job}:`);
    for (const line of text.split('\n')) if (line.trim() !== '') this.#live.print(`${name} ${clean(line)}`);
  }

  #onJob(job: JobView): void {
    const key = `${job.status}/${job.attempt}`;
    if (this.#seen.get(job.name) === key) return;
    this.#seen.set(job.name, key);
    if (job.status === 'running') this.#running.set(job.name, { job, since: this.#now() });
    else this.#running.delete(job.name);
    if (job.status !== 'running' && !FINAL.has(job.status)) return;
    if (job.status === 'running' && this.#output.live) return;
    this.#live.print(this.#jobLine(job));
    this.#printNotes(job);
    if (job.status === 'failed') this.#live.print(this.#logTail(job.name));
  }

  /** Each note once: a dozen jobs may run in the same stand-in. */
  #printNotes(job: JobView): void {
    for (const note of job.notes) {
      if (this.#notes.has(note)) continue;
      this.#notes.add(note);
      this.#live.print(`${' '.repeat(9)}${this.#output.style('dim', `note: ${note}`)}`);
    }
  }

  #jobLine(job: JobView): string {
    const parts = [
      this.#clock(),
      job.stage.padEnd(10),
      job.name.padEnd(32),
      padded(statusText(job, this.#output), 10),
    ];
    const coverage = job.coverage === undefined ? '' : `coverage ${job.coverage} %`;
    const reason = job.status === 'running' || job.status === 'success' ? '' : (job.reason ?? '');
    return [...parts, duration(job.durationMs), coverage, reason].filter(Boolean).join(' ');
  }

  #logTail(job: string): string {
    const lines = clean(this.#logs.get(job) ?? '')
      .trimEnd()
      .split('\n');
    const shown = lines.slice(-SHOWN_LOG_LINES);
    const cut =
      lines.length > shown.length
        ? [`(${lines.length - shown.length} lines before; updraft logs ${job})`]
        : [];
    return [...cut, ...shown].map((line) => `    ${this.#output.style('dim', '|')} ${line}`).join('\n');
  }

  #footer(): readonly string[] {
    const now = this.#now();
    const jobs = [...this.#running.values()].map(
      ({ job, since }) =>
        `${this.#output.style('cyan', '>')} ${job.stage.padEnd(10)} ${job.name.padEnd(32)} ${duration(now - since)}  ${this.#lastLine(job.name)}`,
    );
    const work = [...this.#progress].map(
      ([what, since]) => `${this.#output.style('cyan', '>')} ${what} ${duration(now - since)}`,
    );
    return [...work, ...jobs];
  }

  #lastLine(job: string): string {
    return clean((this.#logs.get(job) ?? '').trimEnd().split('\n').at(-1) ?? '').slice(0, 60);
  }

  #clock(): string {
    return this.#output.style('dim', `${((this.#now() - this.#started) / 1000).toFixed(1).padStart(7)}s`);
  }
}

const CONTROL =
  // oxlint-disable-next-line no-control-regex -- logs may hold any control sequence; none may reach the terminal
  /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A job's text without control sequences: it must not move the cursor or retitle the window. */
export const clean = (text: string): string => text.replace(CONTROL, '');

function statusText(job: JobView, output: Output): string {
  switch (job.status) {
    case 'success':
      return output.style('green', 'passed');
    case 'failed':
      return job.allowFailure ? output.style('yellow', 'warning') : output.style('red', 'failed');
    case 'running':
      return output.style('cyan', 'running');
    case 'manual':
      return output.style('dim', 'manual');
    case 'skipped':
    case 'canceled':
    case 'created':
    case 'pending':
    case 'scheduled':
    case 'waiting_for_resource':
      return output.style('dim', job.status);
  }
}

/** The end: every job in a table, then the environments. */
export function summary(run: RunView, environments: readonly EnvironmentView[], output: Output): string {
  const rows = run.jobs.map((job) => [
    job.stage,
    job.name,
    statusText(job, output),
    duration(job.durationMs),
    [
      job.coverage === undefined ? '' : `coverage ${job.coverage} %`,
      job.status === 'success' ? '' : (job.reason ?? ''),
    ]
      .filter(Boolean)
      .join(', '),
  ]);
  const head = ['STAGE', 'JOB', 'STATE', 'TIME', ''].map((cell) => output.style('bold', cell));
  const colour = run.status === 'success' ? 'green' : run.status === 'manual' ? 'yellow' : 'red';
  const verdict = `${output.style(colour, verdictWord(run.status))} in ${duration(run.durationMs)}`;
  return [
    '',
    table([head, ...rows]),
    '',
    environmentTable(environments, output),
    `Pipeline ${run.id} ${verdict}`,
  ]
    .filter((part) => part !== undefined)
    .join('\n');
}

function verdictWord(status: RunView['status']): string {
  if (status === 'success') return 'passed';
  return status === 'manual' ? 'is blocked: a manual job waits (start it with `updraft run JOB`)' : status;
}

export function environmentTable(
  environments: readonly EnvironmentView[],
  output: Output,
): string | undefined {
  if (environments.length === 0) return undefined;
  const head = ['ENVIRONMENT', 'STATE', 'TIER', 'REF', 'URL'].map((cell) => output.style('bold', cell));
  const rows = environments.map((each) => [each.name, each.state, each.tier, each.ref, each.url ?? '']);
  return `${table([head, ...rows])}\n`;
}
