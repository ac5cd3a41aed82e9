import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Fault, resolveInRoot, runOrThrow } from '@updraft/kit';
import type { ToolJob } from '@updraft/runner';

/**
 * A job's project folder as it was when it was first asked for. Tools of the daemon walk through it as root, and the
 * job may swap its folders for links meanwhile: so they walk through a copy, which GNU tar makes without following any.
 */
export class StillProject {
  readonly #job: Pick<ToolJob, 'projectDir' | 'hostProjectDir'>;
  readonly #dir: string;
  #made: Promise<string> | undefined;

  constructor(job: Pick<ToolJob, 'projectDir' | 'hostProjectDir'>, parent: string) {
    this.#job = job;
    this.#dir = path.join(parent, `${randomBytes(8).toString('hex')}.copy`);
  }

  /** Where a path of the job lies in the copy. @throws Fault OUTSIDE_PROJECT */
  async place(inside: string): Promise<string> {
    const relative = path.posix.relative(this.#job.projectDir, inside);
    if (relative === '..' || relative.startsWith('../')) {
      throw new Fault('OUTSIDE_PROJECT', `${inside} is not in the project folder`, {
        next: `Scan something below ${this.#job.projectDir}; images are scanned by name.`,
      });
    }
    this.#made ??= this.#copy();
    return resolveInRoot(await this.#made, relative);
  }

  async remove(): Promise<void> {
    await this.#made?.catch(() => undefined);
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #copy(): Promise<string> {
    const files = path.join(this.#dir, 'files');
    const archive = path.join(this.#dir, 'files.tar');
    await mkdir(files, { recursive: true, mode: 0o700 });
    await runOrThrow('tar', [
      '--create',
      '--exclude=./.git',
      `--file=${archive}`,
      '-C',
      this.#job.hostProjectDir,
      '.',
    ]);
    await runOrThrow('tar', ['--extract', '--no-same-owner', `--file=${archive}`, '-C', files]);
    await rm(archive);
    return files;
  }
}
