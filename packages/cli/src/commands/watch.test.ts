import type { EnvironmentView, RunView } from '@updraft/control';
import { expect, test } from 'vitest';
import { touchedBy } from './watch.ts';

test('a run ends with its own environments, not with those of the same name elsewhere', () => {
  const environment = (project_dir: string, name: string) => ({ project_dir, name }) as EnvironmentView;
  const job = (status: string, name?: string) => ({ status, environment: name });
  const run = {
    projectDir: '/here',
    jobs: [job('success', 'staging'), job('failed', 'production'), job('success')],
  } as unknown as RunView;
  const mine = environment('/here', 'staging');
  const others = [environment('/there', 'staging'), environment('/here', 'production')];
  expect(touchedBy([run], [...others, mine])).toEqual([mine]);
});
