import { Transform } from 'node:stream';

const LINKS =
  /\b(href|src|action|formaction|background|cite|data|longdesc|poster|codebase|classid|profile|usemap|manifest|icon)(\s*=\s*)(["'])\/(?!\/)/gi;
/** Longer than any attribute up to its first slash: so much is held back at the end of a piece. */
const HELD = 256;

/** Rewrites links of a page that begin with a slash, so that they lead through the proxy again. */
export function linkRewriter(prefix: string): Transform {
  const rewrite = (text: string) =>
    text.replaceAll(LINKS, (_all, name, equals, quote) => `${name}${equals}${quote}${prefix}/`);
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      // Latin-1 keeps every byte as it is, whatever the page is written in.
      const text = rest + chunk.toString('latin1');
      const cut = Math.max(text.lastIndexOf('>') + 1, text.length - HELD);
      rest = text.slice(cut);
      done(null, Buffer.from(rewrite(text.slice(0, cut)), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(rewrite(rest), 'latin1'));
    },
  });
}
