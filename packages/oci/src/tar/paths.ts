import { invalidLayer, shownPath } from './entry.ts';

const MAX_LINKS = 40;

/** The parts of a member's name, below the root of the image: leading slashes and `.` do not count. */
export function partsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw invalidLayer(`the entry ${shownPath(path)} tries to leave the image with '..'`);
  const long = parts.find((part) => part.length > 255);
  if (long !== undefined) throw invalidLayer(`the entry ${shownPath(path)} has a name longer than 255 bytes`);
  return parts;
}

/** The symbolic links a layer has made so far: what a later entry's parent folders really are. */
export class LinkMap {
  readonly #targets = new Map<string, string>();

  get(path: string): string | undefined {
    return this.#targets.get(path);
  }

  set(path: string, target: string): void {
    this.#targets.set(path, target);
  }

  delete(path: string): void {
    this.#targets.delete(path);
  }

  /**
   * Where an entry lies when its parent folders' links are followed as inside the image: absolute targets start at
   * the image's root and `..` stops there. The last part itself is not followed.
   */
  resolve(parts: readonly string[]): string[] {
    const last = parts.at(-1);
    if (last === undefined || this.#targets.size === 0) return [...parts];
    return [...this.#folder(parts.slice(0, -1), parts), last];
  }

  #folder(parts: readonly string[], whole: readonly string[]): string[] {
    const pending = [...parts];
    let real: string[] = [];
    let followed = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        real.pop();
        continue;
      }
      const target = this.#targets.get([...real, part].join('/'));
      if (target === undefined) {
        real.push(part);
        continue;
      }
      followed += 1;
      if (followed > MAX_LINKS)
        throw invalidLayer(`the entry ${shownPath(whole.join('/'))} goes through a loop of links`);
      if (target.startsWith('/')) real = [];
      pending.unshift(...target.split('/'));
    }
    return real;
  }
}
