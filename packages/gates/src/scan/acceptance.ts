import { coversPurl, parsePurl } from './purl.ts';
import type { Purl } from './purl.ts';

/** A decision that findings of an id need not count. */
export interface Acceptance {
  readonly id: string;
  /** Which file says so. */
  readonly source: string;
  /** After this day the finding counts again. */
  readonly expiresMs?: number | undefined;
  /** Why, in the words of who decided. */
  readonly reason?: string | undefined;
  /** Only findings at these paths (`*` within a folder, `**` across). Absent: all. */
  readonly paths?: readonly RegExp[];
  /** Only findings in these packages. Absent: all. */
  readonly packages?: readonly Purl[];
  /** Only findings of this kind. Absent: all. */
  readonly kind?: 'vulnerability' | 'secret';
}

/** What is known of a finding when somebody asks whether it is accepted. */
export interface AcceptanceQuestion {
  readonly ids: readonly string[];
  readonly kind: 'vulnerability' | 'secret';
  readonly path: string;
  readonly purl?: string;
}

export interface Acceptances {
  readonly entries: readonly Acceptance[];
  /** What says nothing understandable, each a sentence; it accepts nothing. */
  readonly problems: readonly string[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The first decision that accepts the finding today; the day of expiry itself still counts. */
export function acceptanceOf(
  entries: readonly Acceptance[],
  question: AcceptanceQuestion,
  nowMs: number,
): Acceptance | undefined {
  return entries.find((entry) => isInForce(entry, nowMs) && covers(entry, question));
}

function isInForce({ expiresMs }: Acceptance, nowMs: number): boolean {
  return expiresMs === undefined || nowMs < expiresMs + DAY_MS;
}

function covers({ id, kind, paths, packages }: Acceptance, question: AcceptanceQuestion): boolean {
  if (!question.ids.includes(id) || (kind !== undefined && kind !== question.kind)) return false;
  if (paths !== undefined && !paths.some((path) => path.test(question.path))) return false;
  if (packages === undefined) return true;
  const purl = parsePurl(question.purl ?? '');
  return purl !== undefined && packages.some((pattern) => coversPurl(pattern, purl));
}

export function parseDay(text: string): number | undefined {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

/** `**` for any path, `*` and `?` within one folder. */
export function pathPattern(glob: string): RegExp {
  const source = glob
    .replace(/^\/+/, '')
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*\*\/?|\*|\?/g, (wild) => {
      if (wild === '?') return '[^/]';
      if (wild === '*') return '[^/]*';
      return wild === '**/' ? '(?:.*/)?' : '.*';
    });
  return new RegExp(`^/?${source}$`);
}
