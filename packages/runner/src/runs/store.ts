import { appendFile, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { KeyedLock, exists, readTextIfPresent, runOrThrow } from '@updraft/kit';
import type { Clock, Database, Row } from '@updraft/kit';
import { ARCHIVE } from '../job/artifacts.ts';
import { archivedNames, keyFile, unpackFiles } from '../job/files.ts';
import type { RunRequest } from '../ports.ts';
import type { JobMemory, JobRecord, RunRecord } from './record.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, record TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS jobs (
  run INTEGER NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, record TEXT NOT NULL, memory TEXT NOT NULL,
  PRIMARY KEY (run, name)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS requests (run INTEGER PRIMARY KEY, request TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)`;

/** Runs with fewer than this many after them keep their logs and artifacts. */
const KEPT_RUNS = 50;

/** What a job is becomes durable this long after it has changed, together with whatever else has changed meanwhile. */
const WRITE_EVERY_MS = 50;

/** Of a file that is read as a configuration. */
const MAX_TEXT_BYTES = 10 * 1024 * 1024;

const NOTHING: JobMemory = { dotenv: {}, environmentUrl: undefined, played: false };

interface JobEntry {
  readonly run: number;
  readonly place: number;
  readonly record: JobRecord;
  readonly memory: JobMemory;
}

/** Runs in the database, their logs and artifacts in files. */
export class RunStore {
  readonly #database: Database;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #lock = new KeyedLock();
  readonly #unsavedJobs = new Map<string, JobEntry>();
  #stopTimer: (() => void) | undefined;

  constructor(database: Database, dir: string, clock: Clock) {
    this.#database = database;
    this.#dir = dir;
    this.#clock = clock;
    database.script(SCHEMA);
  }

  /** Where the files of runs lie: `<run>/<job>/…`. */
  get dir(): string {
    return this.#dir;
  }

  /** Gives the new run its number; keeps what it was asked to do, so that it can be opened again. */
  create(record: Omit<RunRecord, 'id'>, request: RunRequest): RunRecord {
    return this.#database.transaction(() => {
      this.#database.write('INSERT INTO runs (project, record) VALUES (?, ?)', record.projectDir, '{}');
      const id = Number(this.#database.first('SELECT max(id) AS id FROM runs')?.['id']);
      const run = { ...record, id };
      this.#write(run);
      this.#database.write('INSERT INTO requests VALUES (?, ?)', id, JSON.stringify(request));
      return run;
    });
  }

  /** Writes the run and every job of it that has changed. */
  save(run: RunRecord): void {
    this.#database.transaction(() => {
      this.#write(run);
      this.#flush();
    });
  }

  /** Soon to be written; reads see it at once. */
  saveJob(run: number, place: number, record: JobRecord, memory: JobMemory = NOTHING): void {
    this.#unsavedJobs.set(`${run}/${record.name}`, { run, place, record, memory });
    this.#stopTimer ??= this.#clock.timer(WRITE_EVERY_MS, () => this.flush());
  }

  /** Makes everything durable that was handed over. */
  flush(): void {
    if (this.#unsavedJobs.size > 0) this.#database.transaction(() => this.#flush());
  }

  #flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (const { run, place, record, memory } of this.#unsavedJobs.values()) {
      this.#database.write(
        'INSERT INTO jobs VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record, memory = excluded.memory',
        run,
        record.name,
        place,
        JSON.stringify(record),
        JSON.stringify(memory),
      );
    }
    this.#unsavedJobs.clear();
  }

  #write(run: RunRecord): void {
    const { jobs: _jobs, ...record } = run;
    this.#database.write('UPDATE runs SET record = ? WHERE id = ?', JSON.stringify(record), run.id);
  }

  get(id: number): RunRecord | undefined {
    this.flush();
    const row = this.#database.first('SELECT record FROM runs WHERE id = ?', id);
    return row ? this.#runOf(row) : undefined;
  }

  /** What the run was asked to do, and what its jobs left for others; undefined when that is kept no longer. */
  reopen(id: number): { request: RunRequest; memories: ReadonlyMap<string, JobMemory> } | undefined {
    this.flush();
    const row = this.#database.first('SELECT request FROM requests WHERE run = ?', id);
    if (!row) return undefined;
    const rows = this.#database.all('SELECT name, memory FROM jobs WHERE run = ?', id);
    const memories = rows.map((each): [string, JobMemory] => [
      String(each['name']),
      JSON.parse(String(each['memory'])) as JobMemory,
    ]);
    return { request: JSON.parse(String(row['request'])) as RunRequest, memories: new Map(memories) };
  }

  /** Newest first. */
  list(limit = KEPT_RUNS): readonly RunRecord[] {
    this.flush();
    return this.#database
      .all('SELECT record FROM runs ORDER BY id DESC LIMIT ?', limit)
      .map((row) => this.#runOf(row));
  }

  #runOf(row: Row): RunRecord {
    const run = JSON.parse(String(row['record'])) as RunRecord;
    const jobs = this.#database.all('SELECT record FROM jobs WHERE run = ? ORDER BY place', run.id);
    // Records of earlier versions hold their jobs themselves.
    if (jobs.length === 0) return { ...run, jobs: run.jobs ?? [] };
    return { ...run, jobs: jobs.map((job) => JSON.parse(String(job['record'])) as JobRecord) };
  }

  /** CI_JOB_ID: counts up over all runs. */
  nextJobId(): number {
    this.#database.write(
      "INSERT INTO counters VALUES ('job', 1) ON CONFLICT DO UPDATE SET value = value + 1",
    );
    return Number(this.#database.first("SELECT value FROM counters WHERE name = 'job'")?.['value']);
  }

  /** Where a job of a run keeps its log, archive and reports. */
  jobDir(runId: number, job: string): string {
    return path.join(this.#dir, String(runId), keyFile(job));
  }

  archive(runId: number, job: string): string {
    return path.join(this.jobDir(runId, job), ARCHIVE);
  }

  /** Of an attempt before, everything but its log. */
  async clearJob(runId: number, job: string): Promise<void> {
    const dir = this.jobDir(runId, job);
    const entries = (await exists(dir)) ? await readdir(dir) : [];
    const old = entries.filter((entry) => entry !== 'log');
    await Promise.all(old.map((entry) => rm(path.join(dir, entry), { recursive: true, force: true })));
  }

  async appendLog(runId: number, job: string, text: string): Promise<void> {
    const file = path.join(this.jobDir(runId, job), 'log');
    await this.#lock.use(file, async () => {
      await mkdir(path.dirname(file), { recursive: true });
      await appendFile(file, text);
    });
  }

  /** Of all attempts. */
  async readLog(runId: number, job: string): Promise<string | undefined> {
    const file = path.join(this.jobDir(runId, job), 'log');
    return this.#lock.use(file, () => readTextIfPresent(file));
  }

  /**
   * The files of a job's artifacts, none when it left none; unpacked into a folder when one is given.
   * @throws Fault ARCHIVE_FAILED, DISK_FULL
   */
  async artifacts(runId: number, job: string, unpackTo: string | undefined): Promise<readonly string[]> {
    const archive = this.archive(runId, job);
    if (!(await exists(archive))) return [];
    const names = await archivedNames(archive);
    if (unpackTo !== undefined) {
      await mkdir(unpackTo, { recursive: true });
      await unpackFiles(archive, unpackTo);
    }
    return names.map((name) => name.replace(/^\.\//, ''));
  }

  /** One file of a job's artifacts; undefined when there is none of that name. */
  async artifactText(runId: number, job: string, file: string): Promise<string | undefined> {
    const archive = this.archive(runId, job);
    const wanted = path.posix.normalize(file).replace(/^\/+/, '');
    const names = (await exists(archive)) ? await archivedNames(archive) : [];
    const name = names.find((each) => each.replace(/^\.\//, '') === wanted);
    if (name === undefined) return undefined;
    const options = ['--extract', '--to-stdout', '--occurrence=1', '--no-wildcards'];
    return runOrThrow('tar', [...options, '--file', archive, '--', name], { maxOutputBytes: MAX_TEXT_BYTES });
  }

  /** The runs that this one is a child of, nearest first. */
  ancestors(run: Pick<RunRecord, 'parent'>): readonly number[] {
    if (!run.parent) return [];
    const parent = this.get(run.parent.run);
    return [run.parent.run, ...(parent ? this.ancestors(parent) : [])];
  }

  /** Runs that a dead daemon left unfinished are failed, and said so; what they had half done goes. @returns them */
  async failInterrupted(): Promise<readonly RunRecord[]> {
    const interrupted = this.list(1000).filter((run) => run.status === 'running' || run.status === 'created');
    for (const run of interrupted) {
      const running = run.jobs.filter((job) => job.status === 'running');
      await Promise.all(running.map((job) => this.clearJob(run.id, job.name)));
    }
    return interrupted.map((run) => this.#fail(run));
  }

  #fail(run: RunRecord): RunRecord {
    const memories = this.reopen(run.id)?.memories;
    const failed: RunRecord = { ...run, status: 'failed', jobs: run.jobs.map(interruptedJob) };
    for (const [place, job] of failed.jobs.entries()) {
      if (job !== run.jobs[place]) this.saveJob(run.id, place, job, memories?.get(job.name));
    }
    this.save(failed);
    return failed;
  }

  /**
   * Removes the files of runs that are long past, and what it would take to open them again.
   * @returns their numbers
   */
  async forget(keep = KEPT_RUNS, busy: ReadonlySet<number> = new Set()): Promise<readonly number[]> {
    const folders = (await exists(this.#dir)) ? (await readdir(this.#dir)).map(Number) : [];
    const requests = this.#database.all('SELECT run FROM requests').map((row) => Number(row['run']));
    const newest = this.#database.all('SELECT id FROM runs ORDER BY id DESC LIMIT ?', keep);
    const kept = new Set([...newest.map((row) => Number(row['id'])), ...busy]);
    const old = [...new Set([...folders, ...requests])].filter((id) => Number.isInteger(id) && !kept.has(id));
    for (const id of old) {
      this.#database.write('DELETE FROM requests WHERE run = ?', id);
      await rm(path.join(this.#dir, String(id)), { recursive: true, force: true });
    }
    return old;
  }
}

function interruptedJob(job: JobRecord): JobRecord {
  if (job.status === 'running') return { ...job, status: 'failed', reason: 'the daemon ended meanwhile' };
  const open = ['created', 'pending', 'scheduled', 'waiting_for_resource'].includes(job.status);
  return open ? { ...job, status: 'skipped', reason: 'the daemon ended before' } : job;
}
