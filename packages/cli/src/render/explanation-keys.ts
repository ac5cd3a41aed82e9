import type { KeyOrigin, Origin } from '@updraft/gitlab-ci';
import type { Output } from '../output.ts';
import { visibleText } from './excerpt.ts';
import { INDENT, placeText } from './explanation-words.ts';
import { table } from './table.ts';

/** One line a key: where its value was written, how it came to the job, and what it replaced. */
export function keyLines(keys: readonly KeyOrigin[], output: Output): readonly string[] {
  const rows = keys.flatMap((key) => [rowOf(key, '', output), ...partRows(key, output)]);
  return rows.length === 0 ? [] : table(rows).split('\n');
}

/** A map from several places is taken apart; variables have a section of their own. */
const partRows = ({ key, parts }: KeyOrigin, output: Output): readonly (readonly string[])[] =>
  key === 'variables' ? [] : parts.map((part) => rowOf(part, INDENT, output));

function rowOf(key: KeyOrigin, indent: string, output: Output): readonly string[] {
  const { position, over, references } = key;
  const chain = (position.includedFrom ?? []).map(visibleText);
  const notes = [
    chain.length > 0 && `included by ${chain.toReversed().join(' ← ')}`,
    ...references.map(
      ({ path, leadsTo }) =>
        `!reference [${path.map(visibleText).join(', ')}]${leadsTo ? ` → ${placeText(leadsTo)}` : ''}`,
    ),
    over.length > 0 && `over ${over.map((one) => `${howText(one)} ${placeText(one.position)}`).join(', ')}`,
  ].filter((note) => typeof note === 'string');
  return [
    `${INDENT}${indent}${visibleText(key.key)}`,
    howText(key),
    placeText(position),
    output.style('dim', notes.join('; ')),
  ];
}

function howText({ from, via, anchorIn }: Origin): string {
  const how = from === 'extends' ? `from ${via.map(visibleText).join(' → ')}` : from;
  return anchorIn === undefined ? how : `${how}, anchor in ${visibleText(anchorIn)}`;
}
