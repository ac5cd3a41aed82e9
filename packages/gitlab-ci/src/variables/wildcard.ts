/** GitLab's patterns for protected branches and environment scopes: `*` is any text, `/` included; all else is itself. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const [start = '', ...rest] = pattern.split('*');
  const end = rest.pop();
  if (end === undefined) return pattern === text;
  if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end)) return false;
  // The first place for each part leaves the most room for the next: no going back.
  let at = start.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - end.length;
}
