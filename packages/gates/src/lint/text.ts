/** A word without the quotes around it. */
export function unquoted(text: string): string {
  const match = /^(["'])(.*)\1$/s.exec(text);
  return match?.[2] ?? text;
}

/** Is it a path from the root, also on Windows, or something only the build will know? */
export function isAbsoluteOrVariable(written: string): boolean {
  return /^(?:\/|\\|\$|[A-Za-z]:)/.test(unquoted(written));
}

/** Ends of file names that ADD unpacks. */
export const ARCHIVE =
  /\.(?:tar|gz|bz2|lz|lzma|xz|Z|zst|tgz|tb2|tbz2?|tz2|tlz|tpz|txz|tZ|taz|tzo|tzst|tar\.[a-z0-9]+)$/i;

/** The last part of a path, Windows' included. */
export function baseName(path: string): string {
  return unquoted(path).split(/[\\/]/).at(-1) ?? '';
}

/** The `target` of each `--mount=type=cache` of a RUN. */
export function cacheMounts(
  flags: readonly { readonly name: string; readonly value: string | undefined }[],
): string[] {
  return flags.flatMap(({ name, value }) => {
    if (name !== 'mount' || value === undefined) return [];
    const options = new Map(value.split(',').map((option) => splitOnce(option, '=')));
    const target = options.get('target') ?? options.get('dst') ?? options.get('destination');
    return options.get('type') === 'cache' && target !== undefined ? [target.replace(/(?<=.)\/+$/, '')] : [];
  });
}

/** Before and after the first separator; the second is empty when there is none. */
export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
