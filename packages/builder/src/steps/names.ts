import path from 'node:path';

/** An absolute path inside the image, from one that may be relative to the working directory. */
export function nameOf(workingDir: string | undefined, written: string): string {
  return path.posix.resolve('/', workingDir ?? '/', written);
}

/** Was it written as a folder? */
export function meansFolder(written: string): boolean {
  return written.endsWith('/') || /(^|\/)\.{1,2}$/.test(written);
}

/** A long instruction on one line of the log. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
