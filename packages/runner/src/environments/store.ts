import type { Variable } from '@updraft/gitlab-ci';
import type { Database, Row } from '@updraft/kit';
import type { ClusterRef } from '../ports.ts';

/** What is known of an environment after its last deployment. */
export interface EnvironmentRecord {
  readonly name: string;
  readonly slug: string;
  readonly url: string | undefined;
  readonly state: 'available' | 'stopping' | 'stopped';
  readonly tier: string;
  readonly ref: string;
  readonly tag: boolean;
  readonly sha: string;
  readonly projectDir: string;
  /** The job that stops it. */
  readonly onStop: string | undefined;
  readonly deployedAt: string | undefined;
  /** Milliseconds; undefined: never. */
  readonly autoStopAt: number | undefined;
  /** Where it is; absent: in the platform's own cluster. */
  readonly cluster?: ClusterRef;
  /** Its jobs are pods there; absent: they run on this machine. */
  readonly executor?: 'kubernetes';
  /** What was given for the pipeline that deployed it: in GitLab, the job that stops it is one of the same pipeline. */
  readonly variables?: readonly Variable[];
  /** Of the run that deployed it. */
  readonly runId: number;
}

const SCHEMA = `CREATE TABLE IF NOT EXISTS environments (
  project TEXT NOT NULL, name TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (project, name))`;

/** Environments by project (the folder of its repository) and name. */
export class EnvironmentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.script(SCHEMA);
  }

  list(projectDir?: string): readonly EnvironmentRecord[] {
    const rows =
      projectDir === undefined
        ? this.#database.all('SELECT record FROM environments ORDER BY project, name')
        : this.#database.all('SELECT record FROM environments WHERE project = ? ORDER BY name', projectDir);
    return rows.map(fromRow);
  }

  get(projectDir: string, name: string): EnvironmentRecord | undefined {
    const row = this.#database.first(
      'SELECT record FROM environments WHERE project = ? AND name = ?',
      projectDir,
      name,
    );
    return row ? fromRow(row) : undefined;
  }

  put(record: EnvironmentRecord): void {
    this.#database.write(
      'INSERT INTO environments VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
      record.projectDir,
      record.name,
      JSON.stringify(record),
    );
  }

  /** Sets the state of one that is known; no deployment, no record. */
  setState(projectDir: string, name: string, state: EnvironmentRecord['state']): void {
    const record = this.get(projectDir, name);
    if (record) this.put({ ...record, state });
  }
}

const fromRow = (row: Row): EnvironmentRecord => JSON.parse(String(row['record'])) as EnvironmentRecord;

/** When an environment deployed now stops by itself. */
export const autoStopTime = (now: number, seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : now + seconds * 1000;
