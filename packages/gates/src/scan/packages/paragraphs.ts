/** Paragraphs of `Field: value` lines (Debian's control files, mail headers); a line that begins with a blank goes on. */
export function paragraphs(text: string): readonly ReadonlyMap<string, string>[] {
  return text
    .split(/\r?\n[ \t]*\r?\n/)
    .map(fields)
    .filter((paragraph) => paragraph.size > 0);
}

export function fields(paragraph: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of paragraph.split(/\r?\n/)) {
    const match = /^([^\s:]+):[ \t]*(.*)$/.exec(line);
    // The first one counts: in Python's metadata a description may look like fields.
    if (match?.[1] !== undefined && !found.has(match[1])) found.set(match[1], (match[2] ?? '').trim());
  }
  return found;
}
