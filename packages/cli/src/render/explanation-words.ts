import type { VariableOrigin } from '@updraft/gitlab-ci';
import type { Output } from '../output.ts';
import { visibleText } from './excerpt.ts';

export const INDENT = '  ';

type Place = NonNullable<VariableOrigin['position']>;

export const placeText = ({ file, line }: Place): string => visibleText(`${file}:${line}`);

/** ✓, ✗, or - for what was not asked. */
export function mark(holds: boolean | undefined, output: Output): string {
  if (holds === undefined) return output.style('dim', '-');
  return holds ? output.style('green', '✓') : output.style('red', '✗');
}

const SOURCES: Readonly<Record<VariableOrigin['source'], string>> = {
  pipeline: 'pipeline',
  project: 'project',
  dotenv: 'dotenv report',
  job: 'job',
  rule: 'rule',
  matrix: 'matrix',
  workflow: 'workflow:rules',
  global: 'global',
  predefined: 'predefined',
};

/** `job, ci/base.yml:4`. */
export function originText({ source, position, place }: VariableOrigin): string {
  const where = position ? placeText(position) : place && visibleText(place);
  return where === undefined ? SOURCES[source] : `${SOURCES[source]}, ${where}`;
}

const MAX_VALUE = 120;

/** A value on one line, in quotes. */
export function quoted(value: string): string {
  const short = value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE - 1)}…` : value;
  return JSON.stringify(short).replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
