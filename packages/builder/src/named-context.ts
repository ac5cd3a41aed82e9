import { parseGitReference } from './git/reference.ts';
import type { NamedContext } from './types.ts';

/**
 * What a source on a command line means: `oci-layout:DIR[:TAG]` (also `oci-layout://`), `docker-image://REF`, a repository, a tar
 * archive, a folder (`./x`, `/x`, `dir://x`), or else the name of an image.
 */
export function namedContext(source: string): NamedContext {
  const layout = /^oci-layout:(?:\/\/)?(.+?)(?::([\w.-]+))?$/.exec(source);
  if (layout?.[1] !== undefined)
    return { kind: 'layout', path: layout[1], ...(layout[2] === undefined ? {} : { tag: layout[2] }) };
  const image = /^docker-image:\/\/(.+)$/.exec(source)?.[1];
  if (image !== undefined) return { kind: 'image', reference: image };
  if (parseGitReference(source)) return { kind: 'git', url: source };
  const folder = /^(?:dir:\/\/|local:)(.+)$/.exec(source)?.[1];
  return folder === undefined ? bareSource(source) : { kind: 'folder', path: folder };
}

function bareSource(source: string): NamedContext {
  const isPath = /^[./]/.test(source);
  const isArchive = /^https?:\/\//.test(source) || (isPath && /\.(tar|tgz|tar\.\w+)$/.test(source));
  if (isArchive) return { kind: 'archive', path: source };
  return isPath ? { kind: 'folder', path: source } : { kind: 'image', reference: source };
}
