import { describe, expect, it } from 'vitest';
import { hasReference, readReference, skipReason } from '../testing/reference.ts';
import { expandAll } from './expand-all.ts';
import { expandVariables } from './expand.ts';

interface Facts {
  readonly single: readonly {
    readonly value: string;
    readonly variables: Readonly<Record<string, string>>;
    readonly expand: string;
    readonly expand_existing: string;
  }[];
  readonly collection: readonly {
    readonly variables: readonly {
      readonly key: string;
      readonly value: string;
      readonly raw?: boolean;
      readonly file?: boolean;
    }[];
    readonly keep_undefined: boolean;
    readonly result: Readonly<Record<string, string>>;
    readonly expand_raw_refs?: boolean;
    readonly expand_file_refs?: boolean;
  }[];
}

describe.skipIf(!hasReference)(`GitLab's own facts about variables${skipReason}`, () => {
  const facts: Facts = hasReference
    ? (JSON.parse(readReference('expansion.json')) as Facts)
    : { single: [], collection: [] };

  it('has facts', () => expect(facts.collection.length).toBeGreaterThan(15));

  it.each(facts.single)('expands $value with $variables', ({ value, variables, ...expected }) => {
    expect(expandVariables(value, variables)).toBe(expected.expand);
    expect(expandVariables(value, variables, { keepUndefined: true })).toBe(expected.expand_existing);
  });

  it.each(facts.collection)('expands $variables together', (fact) => {
    const { variables } = expandAll(
      fact.variables.map((variable) => ({ ...variable, source: 'job' })),
      {
        keepUndefined: fact.keep_undefined,
        ...(fact.expand_raw_refs === undefined ? {} : { expandRawRefs: fact.expand_raw_refs }),
        ...(fact.expand_file_refs === undefined ? {} : { expandFileRefs: fact.expand_file_refs }),
      },
    );
    expect(Object.fromEntries(variables.map(({ key, value }) => [key, value]))).toEqual(fact.result);
  });
});
