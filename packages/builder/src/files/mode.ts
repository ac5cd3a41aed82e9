import { BuildFailure } from '../failure.ts';

/** Gives the permission bits for an entry that has `mode`. */
export type ModeChange = (mode: number, isFolder: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const PERMISSION: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 };
const CLAUSE = /^([ugoa]*)([+=-])([rwxXst]*|[ugo])$/;

/**
 * Reads `--chmod`: an octal number, or clauses as of chmod(1) (`u=rwX,go=rX`).
 * @throws BuildFailure
 */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode <= 0o7777) return () => mode;
  }
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return (mode, isFolder) => clauses.reduce((current, change) => change(current, isFolder), mode);
}

function parseClause(clause: string, whole: string): ModeChange {
  const match = CLAUSE.exec(clause);
  if (!match) throw new BuildFailure(`--chmod: ${whole} is no mode; write it like 755 or u=rwX,go=rX`);
  const [, who = '', operator, permissions = ''] = match;
  const affected = Array.from(who || 'a').reduce((mask, letter) => mask | (WHO[letter] ?? 0), 0);
  return (mode, isFolder) => {
    const bits = permissionBits(permissions, mode, isFolder) & affected;
    if (operator === '+') return mode | bits;
    if (operator === '-') return mode & ~bits;
    // `=` leaves set-id bits of folders and what it does not speak of alone, as chmod does.
    const cleared = isFolder ? affected & 0o777 : affected;
    return (mode & ~cleared) | bits;
  };
}

function permissionBits(permissions: string, mode: number, isFolder: boolean): number {
  if (/^[ugo]$/.test(permissions)) {
    const shift = { u: 6, g: 3, o: 0 }[permissions] ?? 0;
    const bits = (mode >> shift) & 7;
    return (bits << 6) | (bits << 3) | bits;
  }
  return Array.from(permissions).reduce((bits, letter) => {
    if (letter === 'X') return isFolder || (mode & 0o111) !== 0 ? bits | 0o111 : bits;
    return bits | (PERMISSION[letter] ?? 0);
  }, 0);
}
