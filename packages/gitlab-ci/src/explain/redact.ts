import type { Variable } from '../pipeline.ts';

const MASK = '[masked]';

/** Shorter contents of files are no secrets, and stand in too many other texts. */
const LEAST_FILE = 8;

/** Takes the values of masked variables and the contents of files out of a text. */
export type Redact = (text: string) => string;

export function redactionOf(variables: readonly Variable[]): Redact {
  const secrets = variables
    .filter(({ masked, file, value }) => (masked && value !== '') || (file && value.length >= LEAST_FILE))
    .map(({ value }) => value)
    // A value that contains another one goes first.
    .toSorted((a, b) => b.length - a.length);
  return (text) => {
    let shown = text;
    for (const secret of secrets) shown = shown.replaceAll(secret, MASK);
    return shown;
  };
}
