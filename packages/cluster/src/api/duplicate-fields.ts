/** Members of an object that the text gives more than once, by their paths. The text must be well-formed JSON. */
export function duplicateFields(text: string): string[] {
  const scan = new Scan(text);
  scan.run();
  return scan.found;
}

interface Level {
  readonly path: string;
  /** Of an object; undefined in a list. */
  readonly keys: Set<string> | undefined;
  key: string;
  index: number;
  /** The next string names a member. */
  expectsKey: boolean;
}

class Scan {
  readonly found: string[] = [];
  readonly #text: string;
  readonly #levels: Level[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    const text = this.#text;
    for (; this.#at < text.length; this.#at += 1) {
      const char = text[this.#at];
      if (char === '"') this.#string();
      else if (char === '{' || char === '[') this.#open(char === '{');
      else if (char === '}' || char === ']') this.#levels.pop();
      else if (char === ',') this.#next();
    }
  }

  #open(isObject: boolean): void {
    const keys = isObject ? new Set<string>() : undefined;
    this.#levels.push({ path: this.#path(), keys, key: '', index: 0, expectsKey: isObject });
  }

  #next(): void {
    const level = this.#levels.at(-1);
    if (!level) return;
    level.index += 1;
    level.expectsKey = level.keys !== undefined;
  }

  /** Of the value that begins here. */
  #path(): string {
    const level = this.#levels.at(-1);
    if (!level) return '';
    if (!level.keys) return `${level.path}[${level.index}]`;
    return level.path === '' ? level.key : `${level.path}.${level.key}`;
  }

  #string(): void {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end > 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    this.#at = end < 0 ? this.#text.length : end;
    const level = this.#levels.at(-1);
    if (!level?.expectsKey || end < 0) return;
    level.expectsKey = false;
    level.key = JSON.parse(this.#text.slice(start, end + 1)) as string;
    if (level.keys?.has(level.key)) this.found.push(this.#path());
    level.keys?.add(level.key);
  }

  #isEscaped(quote: number): boolean {
    let slashes = 0;
    while (this.#text[quote - 1 - slashes] === '\\') slashes += 1;
    return slashes % 2 === 1;
  }
}
