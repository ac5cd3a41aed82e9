import { expect, it } from 'vitest';
import { createPipeline, explainJob } from '../index.ts';
import type { PipelineRequest } from '../index.ts';
import { FACTS } from '../testing/commit.ts';
import { listFolders, readFolder } from '../testing/reference.ts';

const NAMES = [
  '',
  '.',
  'variables',
  '__proto__',
  'constructor',
  'a: [',
  'a 1/2',
  ': [x]',
  '\u0000\n',
  '🚀',
  'x'.repeat(300),
];
const ODD = /undefined|\[object|NaN/;

function requestOf(name: string): PipelineRequest {
  const files = new Map(
    [...readFolder(`cases/${name}`)].flatMap(([file, text]) =>
      file.startsWith('input/') ? [[file.slice('input/'.length), text] as const] : [],
    ),
  );
  return {
    facts: { ...FACTS, changedPaths: ['README.md'] },
    files: { read: (path) => files.get(path), list: () => [...files.keys()] },
  };
}

/** Everything at the margin of a line that may be a job, and what comes out of it. */
function namesIn({ files }: PipelineRequest): readonly string[] {
  const texts = files.list().map((path) => files.read(path) ?? '');
  return texts.flatMap((text) =>
    [...text.matchAll(/^['"]?([^\s#'"].*?)['"]?:/gm)].map((found) => found[1] ?? ''),
  );
}

it.each(listFolders('cases'))('everything in the case %s is explained', { timeout: 60_000 }, (name) => {
  const request = requestOf(name);
  const { pipeline } = createPipeline(request);
  const jobs = pipeline?.jobs.map((job) => job.name) ?? [];
  for (const asked of new Set([...NAMES, ...namesIn(request), ...jobs])) {
    const explanation = explainJob(request, asked);
    const reasons = [explanation.reason, ...explanation.instances.map(({ reason }) => reason)];
    for (const reason of reasons) expect(reason).not.toMatch(ODD);
    if (!jobs.includes(asked)) continue;
    expect({ asked, verdict: explanation.verdict }).toEqual({ asked, verdict: 'in' });
    expect(explanation.instances.map((instance) => instance.name)).toEqual([asked]);
    expect(explanation.noPipeline).toBeUndefined();
  }
});
