/**
 * The machine, the network or a remote failed: something no change to the user's files would mend by itself.
 * Every room throws its own subclass; the code is stable and documented in that room's `codes` list.
 */
export class Fault extends Error {
  override readonly name: string = 'Fault';
  /** Stable identifier in SCREAMING_SNAKE_CASE, such as `PORT_IN_USE`. */
  readonly code: string;
  /** What the user can do next, one sentence; shown under the message. */
  readonly next: string | undefined;

  constructor(code: string, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
  }
}

/** The message of anything that was thrown, never empty. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return String(thrown);
}

/** The `code` of a Node system error (`ENOENT`), or of a Fault; undefined for anything else. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
