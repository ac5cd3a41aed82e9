/** One line of an ignore file. */
export interface IgnoreEntry {
  readonly id: string;
  /** After this day the finding counts again. */
  readonly expiresMs: number | undefined;
}

export interface IgnoreFile {
  readonly entries: readonly IgnoreEntry[];
  /** Lines that say nothing understandable, each a sentence; such a line accepts nothing. */
  readonly problems: readonly string[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** `.trivyignore`: an id a line, `#` comments, ` exp:YYYY-MM-DD`. */
export function parseIgnoreFile(text: string): IgnoreFile {
  const entries: IgnoreEntry[] = [];
  const problems: string[] = [];
  text.split('\n').forEach((written, index) => {
    const [id, ...options] = written
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (id === undefined || id === '') return;
    const expiry = options.find((option) => option.startsWith('exp:'));
    const date = expiry === undefined ? undefined : parseDay(expiry.slice('exp:'.length));
    const isOdd = options.some((option) => option !== expiry) || (expiry !== undefined && date === undefined);
    if (isOdd) problems.push(`line ${index + 1}: ${written.trim()} is not understood and accepts nothing`);
    else entries.push({ id, expiresMs: date });
  });
  return { entries, problems };
}

function parseDay(text: string): number | undefined {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

/** Does the file accept any of these ids today? The day of expiry itself still counts as accepted. */
export function isAccepted(entries: readonly IgnoreEntry[], ids: readonly string[], nowMs: number): boolean {
  return entries.some(
    ({ id, expiresMs }) => ids.includes(id) && (expiresMs === undefined || nowMs < expiresMs + DAY_MS),
  );
}
