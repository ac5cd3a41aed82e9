/** `[registry/]path[:tag][@digest]` of a FROM, taken apart as written; variables are left in. */
export interface ImageName {
  readonly registry: string | undefined;
  /** Without registry, tag and digest. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

export function parseImageName(written: string): ImageName {
  const text = written.replaceAll(/["']/g, '');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const name = at < 0 ? text : text.slice(0, at);
  const colon = tagColon(name);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  const whole = colon < 0 ? name : name.slice(0, colon);
  const slash = whole.indexOf('/');
  const first = slash < 0 ? '' : whole.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === 'localhost' || first.includes('$');
  const registry = hasRegistry ? first : undefined;
  return { registry, path: hasRegistry ? whole.slice(slash + 1) : whole, tag, digest };
}

/** A colon before the last `/` is a port, one inside `${A:-b}` is part of a variable. */
function tagColon(name: string): number {
  const withoutVariables = name.replaceAll(/\$\{[^}]*\}/g, (variable) => '$'.repeat(variable.length));
  const colon = withoutVariables.lastIndexOf(':');
  return colon > withoutVariables.lastIndexOf('/') ? colon : -1;
}
