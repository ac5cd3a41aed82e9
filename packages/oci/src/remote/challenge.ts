/** What a registry asks for in WWW-Authenticate. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string };

/** The first challenge that we know how to meet; Bearer before Basic. */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const texts = typeof header === 'string' ? [header] : (header ?? []);
  for (const text of texts) {
    const bearer = /(?:^|,)\s*bearer\s+(.*)$/i.exec(text);
    if (bearer) {
      const { realm, service, scope } = parameters(bearer[1] ?? '');
      if (realm) return { scheme: 'bearer', realm, ...(service && { service }), ...(scope && { scope }) };
    }
  }
  return texts.some((text) => /(?:^|,)\s*basic\b/i.test(text)) ? { scheme: 'basic' } : undefined;
}

function parameters(text: string): Partial<Record<string, string>> {
  const found: Partial<Record<string, string>> = {};
  for (const match of text.slice(0, 4096).matchAll(/([a-zA-Z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    const key = (match[1] ?? '').toLowerCase();
    found[key] ??= match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? '';
  }
  return found;
}
