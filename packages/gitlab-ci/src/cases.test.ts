import { describe, expect, it } from 'vitest';
import { createPipeline, expandConfiguration, jobVariables, lintConfiguration } from './index.ts';
import type {
  Answer,
  Answers,
  CommitFacts,
  Pipeline,
  PipelineRequest,
  Problem,
  Question,
  Variable,
} from './index.ts';
import { listFolders, readFolder } from './testing/reference.ts';

/** `request.json` of a case: what differs from a push to main. */
interface CaseRequest {
  readonly facts?: Partial<CommitFacts>;
  readonly source?: string;
  /** Files of the commit beside those of the configuration. */
  readonly paths?: readonly string[];
  readonly project?: Readonly<Record<string, string>>;
  readonly pipeline?: Readonly<Record<string, string>>;
  /** Project variables whose values are masked. */
  readonly masked?: Readonly<Record<string, string>>;
  /** What is known of places outside of the commit; absent: nobody can be asked. */
  readonly answers?: readonly (readonly [Question, Answer])[];
  readonly child?: PipelineRequest['child'];
  readonly inputs?: PipelineRequest['inputs'];
}

/** `expected.json`: `jobs` in order, parts of some, values of variables (null: not set), problems as `code place -> suggestion`. */
interface CaseExpectation {
  readonly name?: string;
  readonly stages?: readonly string[];
  readonly jobs?: readonly string[];
  readonly details?: Readonly<Record<string, object>>;
  readonly values?: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  readonly problems?: readonly string[];
  readonly emptyBecause?: string;
  readonly questions?: readonly Question[];
  readonly autoCancel?: Pipeline['autoCancel'];
}

const FACTS: CommitFacts = {
  sha: '0123456789abcdef0123456789abcdef01234567',
  beforeSha: '0'.repeat(40),
  branch: 'main',
  tag: undefined,
  tagMessage: undefined,
  message: 'A commit',
  author: 'Ada <ada@example.org>',
  timestamp: '2026-01-02T03:04:05+00:00',
  defaultBranch: 'main',
  projectName: 'book',
  projectPath: 'group/book',
  projectUrl: 'https://gitlab.example.org/group/book',
  userName: 'Ada',
  userEmail: 'ada@example.org',
  changedPaths: undefined,
};

const variables = (
  values: Readonly<Record<string, string>> | undefined,
  source: Variable['source'],
): Variable[] => Object.entries(values ?? {}).map(([key, value]) => ({ key, value, source }));

function show({ code, file, line, column, suggestion }: Problem): string {
  const place = file === undefined ? '' : ` ${file}:${line}:${column}`;
  return `${code}${place}${suggestion === undefined ? '' : ` -> ${suggestion}`}`;
}

/** `undefined` and absent are the same here. */
const withoutPositions = (pipeline: Pipeline | undefined): unknown =>
  JSON.parse(
    JSON.stringify(pipeline?.jobs, (key, value: unknown) => (key === 'position' ? undefined : value)),
  );

function answersOf(known: NonNullable<CaseRequest['answers']>): Answers {
  const nameOf = (question: Question): string =>
    JSON.stringify(Object.entries(question).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const byQuestion = new Map(known.map(([question, answer]) => [nameOf(question), answer]));
  return { get: (question) => byQuestion.get(nameOf(JSON.parse(JSON.stringify(question)) as Question)) };
}

function load(name: string) {
  const all = readFolder(`cases/${name}`);
  const input = new Map(
    [...all].flatMap(([file, text]) => (file.startsWith('input/') ? [[file.slice(6), text]] : [])),
  );
  const asked = JSON.parse(all.get('request.json') ?? '{}') as CaseRequest;
  const expected = JSON.parse(all.get('expected.json') ?? '{}') as CaseExpectation;
  const request = {
    facts: { ...FACTS, ...asked.facts },
    files: { read: (file: string) => input.get(file), list: () => [...input.keys(), ...(asked.paths ?? [])] },
    source: asked.source ?? 'push',
    projectVariables: [
      ...variables(asked.project, 'project'),
      ...variables(asked.masked, 'project').map((one) => ({ ...one, masked: true })),
    ],
    pipelineVariables: variables(asked.pipeline, 'pipeline'),
    ...(asked.answers ? { answers: answersOf(asked.answers) } : {}),
    ...(asked.child ? { child: asked.child } : {}),
    ...(asked.inputs ? { inputs: asked.inputs } : {}),
  };
  return { request, expected };
}

describe.each(listFolders('cases'))('case %s', (name) => {
  const { request, expected } = load(name);
  const { pipeline, problems, emptyBecause, questions } = createPipeline(request);

  it('finds the problems', () => {
    expect(problems.map(show)).toEqual(expected.problems ?? []);
    for (const { message } of problems) expect(message).not.toMatch(/undefined|\[object|NaN/);
  });

  it('makes the jobs', () => {
    expect(pipeline?.jobs.map((job) => job.name)).toEqual(expected.jobs);
    expect(emptyBecause).toBe(expected.emptyBecause);
    expect(questions ?? []).toEqual(expected.questions ?? []);
    const { autoCancel, stages, name } = expected;
    expect(pipeline ?? {}).toMatchObject({
      ...(autoCancel ? { autoCancel } : {}),
      ...(stages ? { stages } : {}),
      ...(name === undefined ? {} : { name }),
    });
    for (const [job, details] of Object.entries(expected.details ?? {})) {
      expect(pipeline?.jobs.find((one) => one.name === job)).toMatchObject(details);
    }
  });

  it('gives the variables', () => {
    for (const [name, values] of Object.entries(expected.values ?? {})) {
      const job = pipeline?.jobs.find((one) => one.name === name);
      if (!pipeline || !job) throw new Error(`no job ${name}`);
      const found = new Map(jobVariables(pipeline, job).map(({ key, value }) => [key, value]));
      for (const [key, value] of Object.entries(values))
        expect([key, found.get(key) ?? null]).toEqual([key, value]);
    }
  });

  it('is the same after its preview', () => {
    if (!pipeline) return;
    const { yaml } = expandConfiguration(request);
    const files = { ...request.files, read: () => yaml };
    // Inputs are put in already.
    const { child, inputs: _inputs, ...whole } = request;
    const again = createPipeline({ ...whole, files });
    // The child's configuration is a file of its own now.
    if (child) expect(again.pipeline).toBeDefined();
    expect(again.problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    expect(withoutPositions(again.pipeline)).toEqual(withoutPositions(pipeline));
  });

  it('is linted with at least the same errors', () => {
    const lint = new Set(lintConfiguration(request).problems.map(show));
    const needsCommit = /^(?:need-not-in-pipeline|missing-dependency|changes-unknown|exists-unknown)/;
    for (const problem of problems.map(show)) if (!needsCommit.test(problem)) expect(lint).toContain(problem);
  });

  it('is linted without an error when it makes a pipeline', () => {
    const errors = lintConfiguration(request).problems.filter(({ severity }) => severity === 'error');
    if (pipeline) expect(errors).toEqual([]);
  });
});
