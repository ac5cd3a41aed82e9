import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { repositoryFrom, root, temporaryFolder, updraft } from './harness.ts';

interface Step {
  readonly args: readonly string[];
  readonly exit: number;
  readonly stdout?: readonly string[];
  readonly stderr?: readonly string[];
  readonly notStdout?: readonly string[];
  readonly notStderr?: readonly string[];
  /** What the JSON on standard output must at least hold. */
  readonly json?: unknown;
}

const cases = path.join(root, 'tests/cases');
const { dir, remove } = temporaryFolder('cases');
afterAll(remove);

for (const name of readdirSync(cases).toSorted()) {
  const { why, steps } = JSON.parse(readFileSync(path.join(cases, name, 'case.json'), 'utf8')) as {
    why: string;
    steps: readonly Step[];
  };
  test(`${name}: ${why}`, async () => {
    const project = path.join(dir, name, 'project');
    expect(existsSync(path.join(cases, name, 'project'))).toBe(true);
    await repositoryFrom(path.join(cases, name, 'project'), project);
    for (const step of steps) await check(project, step);
  });
}

async function check(project: string, step: Step): Promise<void> {
  const { code, stdout, stderr } = await updraft(step.args, { cwd: project });
  const context = `updraft ${step.args.join(' ')}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;
  expect(code, context).toBe(step.exit);
  for (const pattern of step.stdout ?? []) expect(stdout, context).toMatch(new RegExp(pattern));
  for (const pattern of step.stderr ?? []) expect(stderr, context).toMatch(new RegExp(pattern));
  for (const pattern of step.notStdout ?? []) expect(stdout, context).not.toMatch(new RegExp(pattern));
  for (const pattern of step.notStderr ?? []) expect(stderr, context).not.toMatch(new RegExp(pattern));
  if (step.json !== undefined) expect(JSON.parse(stdout), context).toMatchObject(step.json as object);
}
