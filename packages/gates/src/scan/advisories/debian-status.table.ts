import type { StatusNote } from './overlay.ts';

/** What Debian decided about findings that every image of a release has. A status file or the tracker's data come before it. */
export const BUILTIN_STATUS: readonly StatusNote[] = ['Debian:11', 'Debian:12'].map((ecosystem) => ({
  ecosystem,
  packageName: 'zlib',
  id: 'CVE-2023-45853',
  status: 'will_not_fix',
  severity: undefined,
  reason: 'the flaw is in contrib/minizip, which Debian does not build into its packages of zlib',
}));
