import type { JobView, ProblemView, RunEvent, RunView } from '@updraft/control';
import type { Output } from '../output.ts';
import { LiveLines } from './live.ts';
import { problemLines } from './problems.ts';
import { statusText } from './status.ts';
import { duration, padded } from './table.ts';

/** Lines of a failed job's log that are shown under it. */
const SHOWN_LOG_LINES = 40;

/** States that get a line of their own; the others are only seen below the lines. */
const SHOWN = new Set(['running', 'success', 'failed', 'canceled', 'skipped', 'manual', 'scheduled']);

/** Draws a run as it happens: a line for each change of a job, and on a terminal the running jobs below them. */
export class RunRenderer {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #live: LiveLines;
  readonly #logs = new Map<string, string>();
  readonly #running = new Map<string, { run: number; job: JobView; since: number }>();
  readonly #seen = new Map<string, string>();
  readonly #notes = new Set<string>();
  readonly #started: number;
  readonly #progress = new Map<string, number>();
  readonly #wantsLogs: boolean;
  /** The run at the top. */
  run: RunView | undefined;
  readonly runs = new Map<number, RunView>();
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
        this.#onRun(event.run);
        break;
      case 'problems':
        this.problems = [...this.problems, ...event.problems];
        this.#live.print(problemLines(event.problems, this.#output).join('\n'));
        break;
      case 'progress':
        this.#onProgress(event);
        break;
      case 'log':
        this.#onLog(event);
        break;
      case 'job':
        this.#onJob(event.run, event.job);
        break;
      case 'finished':
        this.#keep(event.run);
        break;
    }
  }

  close(): void {
    this.#live.close();
  }

  #keep(run: RunView): void {
    this.runs.set(run.id, run);
    if (!this.run || this.run.id === run.id) this.run = run;
  }

  #onRun(run: RunView): void {
    const isNew = !this.runs.has(run.id);
    this.#keep(run);
    if (!isNew) return;
    // Of a run that was opened again, only what changes from here on.
    for (const job of run.jobs) this.#seen.set(`${run.id}/${job.name}`, stateKey(job));
    if (run.id === this.run?.id) this.#header(run);
  }

  /** `name`, behind the jobs that have started its pipeline. */
  #label(runId: number, job: string): string {
    const parent = this.runs.get(runId)?.parent;
    return parent && runId !== this.run?.id ? `${this.#label(parent.run, parent.job)} > ${job}` : job;
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

  #onLog({ run, job, text }: { run: number; job: string; text: string }): void {
    const key = `${run}/${job}`;
    this.#logs.set(key, (this.#logs.get(key) ?? '') + text);
    if (!this.#wantsLogs) return;
    const name = this.#output.style('dim', `${this.#label(run, job)}:`);
    for (const line of text.split('\n')) if (line.trim() !== '') this.#live.print(`${name} ${clean(line)}`);
  }

  #onJob(run: number, job: JobView): void {
    const key = `${run}/${job.name}`;
    if (this.#seen.get(key) === stateKey(job)) return;
    this.#seen.set(key, stateKey(job));
    if (job.status === 'running') this.#running.set(key, { run, job, since: this.#now() });
    else this.#running.delete(key);
    if (!SHOWN.has(job.status)) return;
    if (job.status === 'running' && this.#output.live) return;
    this.#live.print(this.#jobLine(run, job));
    this.#printNotes(job);
    if (job.status === 'failed') this.#live.print(this.#logTail(key, job.name));
  }

  /** Each note once: a dozen jobs may run in the same stand-in. */
  #printNotes(job: JobView): void {
    for (const note of job.notes) {
      if (this.#notes.has(note)) continue;
      this.#notes.add(note);
      this.#live.print(`${' '.repeat(9)}${this.#output.style('dim', `note: ${note}`)}`);
    }
  }

  #jobLine(run: number, job: JobView): string {
    const parts = [
      this.#clock(),
      job.stage.padEnd(10),
      this.#label(run, job.name).padEnd(32),
      padded(statusText(job, this.#output), 10),
    ];
    const coverage = job.coverage === undefined ? '' : `coverage ${job.coverage} %`;
    const reason = job.status === 'running' || job.status === 'success' ? '' : (job.reason ?? '');
    const time = job.status === 'running' ? '' : duration(job.durationMs);
    return [...parts, time, coverage, reason].filter(Boolean).join(' ');
  }

  #logTail(key: string, job: string): string {
    const lines = clean(this.#logs.get(key) ?? '')
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
    const jobs = [...this.#running].map(([key, { run, job, since }]) => {
      const name = this.#label(run, job.name).padEnd(32);
      const arrow = this.#output.style('cyan', '>');
      return `${arrow} ${job.stage.padEnd(10)} ${name} ${duration(now - since)}  ${this.#lastLine(key)}`;
    });
    const work = [...this.#progress].map(
      ([what, since]) => `${this.#output.style('cyan', '>')} ${what} ${duration(now - since)}`,
    );
    return [...work, ...jobs];
  }

  #lastLine(key: string): string {
    return clean((this.#logs.get(key) ?? '').trimEnd().split('\n').at(-1) ?? '').slice(0, 60);
  }

  #clock(): string {
    return this.#output.style('dim', `${((this.#now() - this.#started) / 1000).toFixed(1).padStart(7)}s`);
  }
}

const stateKey = (job: JobView): string => `${job.status}/${job.attempt}`;

const CONTROL =
  // oxlint-disable-next-line no-control-regex -- logs may hold any control sequence; none may reach the terminal
  /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A job's text without control sequences: it must not move the cursor or retitle the window. */
export const clean = (text: string): string => text.replace(CONTROL, '');
