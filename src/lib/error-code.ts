/** What Node, zlib and the database driver call `code`: `ENOENT`, `57014`; empty when there is none. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';
