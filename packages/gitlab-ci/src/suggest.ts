const MIN_LENGTH = 2;
const MAX_LENGTH = 255;
/** More than a repository has job names or a folder has files. */
const MAX_CANDIDATES = 5000;

/** The word among `known` that was most likely meant, or undefined when none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  // Any two short words are near each other, and nobody misspells a very long one.
  if (word.length < MIN_LENGTH || word.length > MAX_LENGTH) return undefined;
  const wanted = word.toLowerCase();
  const limit = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  let looked = 0;
  for (const candidate of known) {
    looked += 1;
    if (looked > MAX_CANDIDATES) break;
    if (Math.abs(candidate.length - word.length) >= bestDistance || candidate === word) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Rows of the table below, used again and again: there may be thousands of words to compare. */
let beforeLast = new Uint16Array(MAX_LENGTH + 5);
let last = new Uint16Array(MAX_LENGTH + 5);
let row = new Uint16Array(MAX_LENGTH + 5);

/** Insertions, deletions, replacements and swaps of neighbours; `enough` or more when it is that many. */
function editDistance(a: string, b: string, enough: number): number {
  for (let j = 0; j <= b.length; j += 1) last[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    if (fillRow(a, b, i) >= enough) return enough;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return last[b.length] ?? enough;
}

/** Fills row `i` and gives its smallest cell, below which no later one can fall by more than a swap. */
function fillRow(a: string, b: string, i: number): number {
  row[0] = i;
  let smallest = i;
  for (let j = 1; j <= b.length; j += 1) {
    let best = cell(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
    best = Math.min(best, cell(last, j) + 1, cell(row, j - 1) + 1);
    const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
    if (isSwapped) best = Math.min(best, cell(beforeLast, j - 2) + 1);
    row[j] = best;
    if (best < smallest) smallest = best;
  }
  // A swap reaches back over one row: only two rows beyond the limit are the end.
  return smallest - 1;
}

const cell = (cells: Uint16Array, index: number): number => cells[index] ?? 0;
