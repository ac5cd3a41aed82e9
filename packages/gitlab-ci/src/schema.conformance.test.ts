import { isMap, parseDocument } from 'yaml';
import type { Scalar } from 'yaml';
import { describe, expect, it } from 'vitest';
import { lintConfiguration } from './index.ts';
import { hasReference, listReference, readReference, skipReason } from './testing/reference.ts';

const filesOf = (kind: string): string[] => listReference(`schema-tests/${kind}`);
const textOf = (kind: string, file: string): string => readReference(`schema-tests/${kind}/${file}`);

function errorsOf(text: string): string[] {
  const files = { read: () => text, list: () => ['.gitlab-ci.yml'] };
  return lintConfiguration({ files, schemaOnly: true })
    .problems.filter((problem) => problem.severity === 'error')
    .map((problem) => `${problem.line}: ${problem.message}`);
}

/** Where the schema and the server differ, this room follows the server. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'positive/run.yml': 'holds the key action, which GitLab has taken out since',
  'positive/workflow/auto_cancel/on_job_failure.yml': 'has workflow inside of jobs, which the server refuses',
  'positive/workflow/auto_cancel/on_new_commit.yml': 'has workflow inside of jobs, which the server refuses',
  'negative/services.yml: invalid_command': 'a text is allowed by now',
};

/** Each top-level entry of a file as a file of its own. */
function entriesOf(text: string): { readonly key: string; readonly text: string }[] {
  const { contents } = parseDocument(text, { schema: 'failsafe' });
  if (!isMap<Scalar>(contents)) throw new Error('a test file must be a map');
  return contents.items.map(({ key }, index) => {
    const end = contents.items[index + 1]?.key.range?.[0] ?? text.length;
    return { key: String(key.value), text: text.slice(key.range?.[0], end) };
  });
}

describe.skipIf(!hasReference)(`GitLab's own schema tests${skipReason}`, () => {
  it('has files', () => expect(filesOf('negative').length).toBeGreaterThan(30));

  const positive = filesOf('positive').filter((file) => !(`positive/${file}` in EXCEPTIONS));

  it.each(positive)('accepts positive/%s', (file) => {
    const text = textOf('positive', file);
    expect(errorsOf(text)).toEqual([]);
  });

  it.each(filesOf('negative'))('refuses every entry of negative/%s', (file) => {
    const text = textOf('negative', file);
    const accepted = entriesOf(text)
      .filter((entry) => errorsOf(entry.text).length === 0)
      .map((entry) => `negative/${file}: ${entry.key}`);
    expect(accepted.filter((entry) => !(entry in EXCEPTIONS))).toEqual([]);
  });
});
