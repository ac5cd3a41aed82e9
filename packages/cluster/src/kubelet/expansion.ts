const REFERENCE = /\$(\$|\(([^()]*)\))/g;

/** `$(NAME)` for the variables that are known; `$$` is one dollar; what is unknown stays as it is written. */
export function expand(text: string, known: Readonly<Record<string, string>>): string {
  return text.replaceAll(REFERENCE, (whole, rest: string, name: string | undefined) => {
    if (rest === '$') return '$';
    return name !== undefined && Object.hasOwn(known, name) ? (known[name] ?? '') : whole;
  });
}
