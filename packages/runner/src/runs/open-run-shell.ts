import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '@updraft/kit';
import type { RunnerConfig } from '../ports.ts';
import { bridgeValues } from './bridge.ts';
import { incomingFor } from './incoming.ts';
import { openJobShell } from './shell.ts';
import { giversOf } from './job-book.ts';
import type { ShellSession, ShellStreams } from './shell.ts';
import type { RunStore } from './store.ts';

/**
 * A shell in a job of a run, whether or not the run is over.
 * @throws Fault RUN_FORGOTTEN, JOB_UNKNOWN, JOB_RUNNING, JOB_HAS_NO_SHELL, and what keeps a job from running
 */
export async function openRunShell(
  { config, runs }: { readonly config: RunnerConfig; readonly runs: RunStore },
  asked: { readonly run: number; readonly job: string },
  streams: ShellStreams,
  signal: AbortSignal,
): Promise<ShellSession> {
  const record = runs.get(asked.run);
  const kept = runs.reopen(asked.run);
  if (!record || !kept) throw new Fault('RUN_FORGOTTEN', `nothing is kept of run ${asked.run}`);
  const { request, memories } = kept;
  const job = request.pipeline.jobs.find(({ name }) => name === asked.job);
  if (!job) throw new Fault('JOB_UNKNOWN', `run ${asked.run} has no job ${asked.job}`);
  if (job.trigger) throw new Fault('JOB_HAS_NO_SHELL', `${job.name} only starts another pipeline`);
  if (record.jobs.find(({ name }) => name === job.name)?.status === 'running') {
    throw new Fault('JOB_RUNNING', `${job.name} is running: a shell opens when it is over`);
  }
  const incoming = await incomingFor(job, {
    runs,
    run: record,
    request,
    ancestors: runs.ancestors(record),
    givers: giversOf(record.jobs, memories),
    memory: (name) => memories.get(name),
    values: (other) => bridgeValues(other, request, record.id),
  });
  const input = { job, jobId: runs.nextJobId(), request, runId: record.id };
  const outputDir = runs.jobDir(record.id, job.name);
  return openJobShell({ config, input, incoming, outputDir, onLog: () => undefined, signal }, streams);
}

/** Failed jobs whose files are kept, over all runs: they may be large. */
const KEPT_JOBS = 5;

/** Leaves the files of the newest failed jobs. */
export async function forgetKept(runsDir: string): Promise<void> {
  const found: { readonly dir: string; readonly at: number }[] = [];
  for (const run of await entries(runsDir)) {
    for (const job of await entries(path.join(runsDir, run))) {
      const dir = path.join(runsDir, run, job, 'kept');
      const facts = await stat(dir).catch(() => undefined);
      if (facts) found.push({ dir, at: facts.mtimeMs });
    }
  }
  const old = found.toSorted((a, b) => b.at - a.at).slice(KEPT_JOBS);
  await Promise.all(old.map(({ dir }) => rm(dir, { recursive: true, force: true })));
}

const entries = (dir: string): Promise<readonly string[]> => readdir(dir).catch(() => []);
