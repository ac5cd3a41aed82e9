import { RE2JS } from 're2js';
import { messageOf } from '@updraft/kit';

/** A path of an Ingress that is a regular expression. RE2: its time grows with the path's length alone, whoever wrote it. */
export interface PathPattern {
  matches(path: string): boolean;
  /** The path with `$1`, `$2` … of `target` replaced by what the groups matched; undefined: it does not match. */
  rewrite(path: string, target: string): string | undefined;
}

/** A string says why it is none. As with nginx it is anchored at the front only, and letters' case does not matter. */
export function compilePath(text: string): PathPattern | string {
  try {
    const regex = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
    return {
      matches: (path) => regex.matcher(path).lookingAt(),
      rewrite: (path, target) => {
        const matcher = regex.matcher(path);
        if (!matcher.lookingAt()) return undefined;
        return target.replace(/\$(\d)/g, (_whole, digit: string) =>
          Number(digit) <= matcher.groupCount() ? (matcher.group(Number(digit)) ?? '') : '',
        );
      },
    };
  } catch (error) {
    return messageOf(error);
  }
}
