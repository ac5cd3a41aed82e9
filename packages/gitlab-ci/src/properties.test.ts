import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPipeline } from './index.ts';
import { NO_COMMIT } from './lint.ts';
import { mergeMaps } from './merge.ts';
import { SourceFile, plain, treeOf } from './tree.ts';
import type { MapTree } from './tree.ts';
import { expandAll } from './variables/expand-all.ts';
import { mentionedVariables } from './variables/expand.ts';

const at = { source: new SourceFile('f.yml', ''), offset: 0 };
const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('x', 'y', 1, true, null),
    fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const map = fc.dictionary(key, value, { maxKeys: 4 }).map((one) => treeOf(one, at) as MapTree);

describe('merging', () => {
  it('of a map with itself, with nothing, or onto nothing is the map', () => {
    const nothing = treeOf({}, at) as MapTree;
    fc.assert(
      fc.property(map, (one) => {
        for (const merged of [mergeMaps(one, one), mergeMaps(one, nothing), mergeMaps(nothing, one)]) {
          expect(plain(merged)).toEqual(plain(one));
        }
      }),
    );
  });

  it('has all keys of both, and the upper one decides what is no map in both', () => {
    fc.assert(
      fc.property(map, map, (base, over) => {
        const { entries } = mergeMaps(base, over);
        expect(new Set(entries.keys())).toEqual(new Set([...base.entries.keys(), ...over.entries.keys()]));
        for (const [name, entry] of over.entries) {
          const below = base.entries.get(name)?.value;
          if (below?.kind === 'map' && entry.value.kind === 'map') continue;
          expect(entries.get(name)?.value).toBe(entry.value);
        }
      }),
    );
  });
});

describe('extends', () => {
  it('in a chain is the same as one job with everything in it', () => {
    const word = fc.constantFrom('A', 'B', 'C');
    const level = fc.record({
      variables: fc.dictionary(word, fc.constantFrom('1', '2', '3'), { maxKeys: 3 }),
      script: fc.option(fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 })),
    });
    const jobOf = (config: unknown) => {
      const files = { read: () => JSON.stringify(config), list: () => ['.gitlab-ci.yml'] };
      const { pipeline, problems } = createPipeline({ facts: NO_COMMIT, files });
      expect(problems).toEqual([]);
      const { variables, script } = pipeline?.jobs[0] ?? {};
      const own = (variables ?? []).filter(({ source }) => source === 'job');
      return { script, own: own.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
    };
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 6 }), (levels) => {
        const parts = [{ variables: {}, script: ['first'] }, ...levels];
        const chain = Object.fromEntries(
          parts.map(({ variables, script }, index) => [
            index === parts.length - 1 ? 'job' : `.l${index}`,
            { variables, ...(script ? { script } : {}), ...(index > 0 ? { extends: `.l${index - 1}` } : {}) },
          ]),
        );
        const variables = Object.assign({}, ...parts.map((part) => part.variables)) as object;
        const script = parts.findLast((part) => part.script)?.script;
        expect(jobOf(chain)).toEqual(jobOf({ job: { variables, script } }));
      }),
      { numRuns: 60 },
    );
  });
});

describe('expanding variables', () => {
  const name = fc.constantFrom('A', 'B', 'C', 'D', 'E');
  const part = fc.oneof(
    fc.constantFrom('x', '-', ' '),
    name.map((one) => `$${one}`),
    name.map((one) => `\${${one}}`),
  );
  const variables = fc
    .uniqueArray(fc.tuple(name, fc.array(part, { maxLength: 4 })), { selector: ([one]) => one })
    .map((all) => all.map(([one, parts]) => ({ key: one, value: parts.join(''), source: 'job' as const })));

  it('leaves no mention, or everything as it was when there is a circle', () => {
    fc.assert(
      fc.property(variables, (all) => {
        const result = expandAll(all);
        if (result.cycle) expect(result.variables).toEqual(all);
        else for (const one of result.variables) expect(mentionedVariables(one.value)).toEqual([]);
      }),
    );
  });

  it('does not depend on the order in which they are given', () => {
    const byName = (all: readonly { readonly key: string }[]) =>
      all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    fc.assert(
      fc.property(variables, (all) => {
        const [one, other] = [expandAll(all), expandAll(all.toReversed())];
        expect(byName(one.variables)).toEqual(byName(other.variables));
      }),
    );
  });
});
