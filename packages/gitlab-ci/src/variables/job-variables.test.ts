import { describe, expect, it } from 'vitest';
import type { Job, Pipeline, Variable } from '../pipeline.ts';
import { expandAsRunner } from './expand.ts';
import { jobVariables } from './job-variables.ts';

type Given = Omit<Variable, 'source' | 'key'>;

function valuesOf(
  given: Readonly<Record<string, string | Given>>,
  pathOf?: (variable: Variable) => string | undefined,
): Readonly<Record<string, string>> {
  const variables = Object.entries(given).map(([key, one]): Variable => {
    const value = typeof one === 'string' ? { value: one } : one;
    return { key, source: 'job', ...value };
  });
  const pipeline = { variables: [] } as unknown as Pipeline;
  const job = { variables } as unknown as Job;
  return Object.fromEntries(jobVariables(pipeline, job, [], pathOf).map(({ key, value }) => [key, value]));
}

describe('the variables of a job', () => {
  it('leaves percent signs to the tools they are meant for', () => {
    expect(valuesOf({ FORMAT: '+%Y%m%d' })).toEqual({ FORMAT: '+%Y%m%d' });
  });

  it('expands what the first pass has put together', () => {
    const { URL } = valuesOf({ URL: '${URL_${ENV}}', URL_DEV: 'here', ENV: 'DEV' });
    expect(URL).toBe('here');
  });

  it('gives others the path of a file, not its content', () => {
    const file: Given = { value: 'top $ecret', file: true, raw: true };
    const pathOf = ({ file: isFile }: Variable): string | undefined => (isFile ? '/tmp/KEY' : undefined);
    const { KEY, A, B } = valuesOf({ KEY: file, A: '${KEY}.pub', B: '-i $A' }, pathOf);
    expect([KEY, A, B]).toEqual(['top $ecret', '/tmp/KEY.pub', '-i /tmp/KEY.pub']);
  });

  it('puts raw values in as they are, over several steps', () => {
    const { C } = valuesOf({ A: { value: '2 $X', raw: true }, B: '${A}0', C: '$B', X: 'no' });
    expect(C).toBe('2 $X0');
  });

  it('does not let a variable grow by itself', () => {
    expect(valuesOf({ PATH: '$PATH:/more' })).toEqual({ PATH: ':/more' });
  });
});

describe('the expansion of the runner', () => {
  it.each([
    ['$$A and $$', '$A and $'],
    ['a$', 'a$'],
    ['$1.5 ($*)', '.5 ()'],
    ['${A:-b}|${}|${A', '||A'],
    ['${A}$B%A%', 'xy%A%'],
    ['^v\\d+$|$)', '^v\\d+$|$)'],
  ])('makes %s to %s', (text, expected) => {
    expect(expandAsRunner(text, { A: 'x', B: 'y' })).toBe(expected);
  });
});
