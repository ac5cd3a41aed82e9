import { appendFile, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { KeyedLock, readTextIfPresent } from '@updraft/kit';
import type { Database, Row } from '@updraft/kit';
import { ARCHIVE } from '../job/artifacts.ts';
import { archivedNames, exists, keyFile, unpackFiles } from '../job/files.ts';
import type { RunRecord } from './record.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, record TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)`;

/** Runs with fewer than this many after them keep their logs and artifacts. */
const KEPT_RUNS = 50;

/** Runs in the database, their logs and artifacts in files. */
export class RunStore {
  readonly #database: Database;
  readonly #dir: string;
  readonly #lock = new KeyedLock();

  constructor(database: Database, dir: string) {
    this.#database = database;
    this.#dir = dir;
    database.script(SCHEMA);
  }

  /** Gives the new run its number. */
  create(record: Omit<RunRecord, 'id'>): RunRecord {
    return this.#database.transaction(() => {
      this.#database.write('INSERT INTO runs (project, record) VALUES (?, ?)', record.projectDir, '{}');
      const id = Number(this.#database.first('SELECT max(id) AS id FROM runs')?.['id']);
      const run = { ...record, id };
      this.save(run);
      return run;
    });
  }

  save(run: RunRecord): void {
    this.#database.write('UPDATE runs SET record = ? WHERE id = ?', JSON.stringify(run), run.id);
  }

  get(id: number): RunRecord | undefined {
    const row = this.#database.first('SELECT record FROM runs WHERE id = ?', id);
    return row ? fromRow(row) : undefined;
  }

  /** Newest first. */
  list(limit = KEPT_RUNS): readonly RunRecord[] {
    return this.#database.all('SELECT record FROM runs ORDER BY id DESC LIMIT ?', limit).map(fromRow);
  }

  /** CI_JOB_ID: counts up over all runs. */
  nextJobId(): number {
    this.#database.write(
      "INSERT INTO counters VALUES ('job', 1) ON CONFLICT DO UPDATE SET value = value + 1",
    );
    return Number(this.#database.first("SELECT value FROM counters WHERE name = 'job'")?.['value']);
  }

  /** Where a job of a run keeps its archive and reports. */
  jobDir(runId: number, job: string): string {
    return path.join(this.#dir, String(runId), keyFile(job));
  }

  async appendLog(runId: number, job: string, text: string): Promise<void> {
    const file = path.join(this.jobDir(runId, job), 'log');
    await this.#lock.use(file, async () => {
      await mkdir(path.dirname(file), { recursive: true });
      await appendFile(file, text);
    });
  }

  async readLog(runId: number, job: string): Promise<string | undefined> {
    return readTextIfPresent(path.join(this.jobDir(runId, job), 'log'));
  }

  /**
   * The files of a job's artifacts, none when it left none; unpacked into a folder when one is given.
   * @throws Fault ARCHIVE_FAILED, DISK_FULL
   */
  async artifacts(runId: number, job: string, unpackTo: string | undefined): Promise<readonly string[]> {
    const archive = path.join(this.jobDir(runId, job), ARCHIVE);
    if (!(await exists(archive))) return [];
    const names = await archivedNames(archive);
    if (unpackTo !== undefined) {
      await mkdir(unpackTo, { recursive: true });
      await unpackFiles(archive, unpackTo);
    }
    return names.map((name) => name.replace(/^\.\//, ''));
  }

  /** Runs that a dead daemon left unfinished are failed, and said so. @returns them */
  failInterrupted(): readonly RunRecord[] {
    const interrupted = this.list(1000).filter((run) => run.status === 'running' || run.status === 'created');
    const failed = interrupted.map((run) => interruptedRun(run));
    for (const run of failed) this.save(run);
    return failed;
  }

  /** Removes files of runs that are long past. */
  async forgetOld(newest: number): Promise<void> {
    const old = newest - KEPT_RUNS;
    if (old > 0) await rm(path.join(this.#dir, String(old)), { recursive: true, force: true });
  }
}

function interruptedRun(run: RunRecord): RunRecord {
  const jobs = run.jobs.map((job) => {
    if (job.status === 'running')
      return { ...job, status: 'failed' as const, reason: 'the daemon ended meanwhile' };
    const open = ['created', 'pending', 'scheduled', 'waiting_for_resource'].includes(job.status);
    return open ? { ...job, status: 'skipped' as const, reason: 'the daemon ended before' } : job;
  });
  return { ...run, jobs, status: 'failed' };
}

const fromRow = (row: Row): RunRecord => JSON.parse(String(row['record'])) as RunRecord;
