/** Where a word starts and ends in a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const BLANK = /\s/;

export function isBlank(character: string | undefined): boolean {
  return character !== undefined && BLANK.test(character);
}

/** Words between blanks; quotes mean nothing (FROM, COPY, EXPOSE, …). */
export function blankSeparated(text: string, from = 0): Span[] {
  const spans: Span[] = [];
  const pattern = /\S+/g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    spans.push({ start: match.index, end: match.index + match[0].length });
  }
  return spans;
}

/** Words between blanks outside quotes; an escaped character belongs to the word (ENV, LABEL, ARG, heredoc names). */
export function quotedWords(text: string, from: number, escape: string): Span[] {
  const spans: Span[] = [];
  let at = from;
  while (at < text.length) {
    if (isBlank(text[at])) {
      at += 1;
      continue;
    }
    const end = endOfWord(text, at, escape);
    spans.push({ start: at, end });
    at = end;
  }
  return spans;
}

/** The end of the word that starts at `from`: the next blank outside quotes. */
export function endOfWord(text: string, from: number, escape: string): number {
  let quote: string | undefined;
  let at = from;
  while (at < text.length) {
    const character = text[at];
    if (character === escape && quote !== "'") {
      at += 2;
      continue;
    }
    if (quote === undefined) {
      if (isBlank(character)) return at;
      if (character === '"' || character === "'") quote = character;
    } else if (character === quote) quote = undefined;
    at += 1;
  }
  return text.length;
}

/** A word without its quotes and escapes. */
export function unquote(word: string, escape: string): string {
  let result = '';
  let quote: string | undefined;
  for (let at = 0; at < word.length; at += 1) {
    const character = word[at] ?? '';
    if (character === escape && quote !== "'") {
      at += 1;
      result += word[at] ?? '';
    } else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = undefined;
    else result += character;
  }
  return result;
}

/** No name of ours is longer, so that nothing longer can be meant for one. */
const LONGEST_NAME = 64;

/** The candidate nearest to what was written, when it is near enough to be meant. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length > LONGEST_NAME) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(written, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
