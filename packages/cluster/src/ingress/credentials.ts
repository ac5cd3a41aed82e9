import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../kinds/core.ts';
import type { BasicAuth } from './settings.ts';

const sha1 = (text: string | Buffer) => createHash('sha1').update(text).digest();

const same = (a: string, b: string) =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());

/** May whoever sends this header pass? `secret` is the one that the settings name. */
export function isAuthorized(
  header: string | undefined,
  settings: BasicAuth,
  secret: Secret | undefined,
): boolean {
  const found = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '');
  const text = Buffer.from(found?.[1] ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  if (!found || colon < 1) return false;
  const hash = hashOf(text.slice(0, colon), settings, secret);
  return hash !== undefined && verifies(text.slice(colon + 1), hash);
}

function hashOf(user: string, { isMap }: BasicAuth, secret: Secret | undefined): string | undefined {
  const value = (key: string) => {
    const { data } = secret ?? {};
    if (!data || !Object.hasOwn(data, key)) return undefined;
    return Buffer.from(data[key] ?? '', 'base64').toString();
  };
  if (isMap) return value(user)?.trim();
  const lines = (value('auth') ?? '').split('\n');
  return lines
    .find((line) => line.startsWith(`${user}:`))
    ?.slice(user.length + 1)
    .trim();
}

/** The forms that `htpasswd` and `openssl passwd` write, bcrypt and crypt(3)'s own excepted. */
function verifies(password: string, hash: string): boolean {
  if (hash.startsWith('{PLAIN}')) return same(password, hash.slice(7));
  if (hash.startsWith('{SHA}')) return same(sha1(password).toString('base64'), hash.slice(5));
  if (hash.startsWith('{SSHA}')) return verifiesSalted(password, hash.slice(6));
  const found = /^\$(apr1|1)\$([^$]{1,8})\$[./0-9A-Za-z]{22}$/.exec(hash);
  return found !== null && same(md5Crypt(password, found[2] ?? '', `$${found[1]}$`), hash);
}

function verifiesSalted(password: string, encoded: string): boolean {
  const bytes = Buffer.from(encoded, 'base64');
  const salted = sha1(Buffer.concat([Buffer.from(password), bytes.subarray(20)]));
  return same(salted.toString('base64'), bytes.subarray(0, 20).toString('base64'));
}

const KNOWN_FORM = /^(\{PLAIN\}|\{SHA\}|\{SSHA\}|\$apr1\$|\$1\$)/;

/** Users whose password is in a form that cannot be checked, and who are therefore refused. */
export function refusedUsers({ isMap }: BasicAuth, secret: Secret): string[] {
  const data = Object.entries(secret.data ?? {});
  const texts = data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()] as const);
  const lines = isMap
    ? texts.map(([user, hash]) => `${user}:${hash.trim()}`)
    : (texts.find(([key]) => key === 'auth')?.[1] ?? '').split('\n');
  return lines.flatMap((line) => {
    const [user = '', hash = ''] = line.split(':', 2);
    return user === '' || KNOWN_FORM.test(hash) ? [] : [user];
  });
}

const ROUNDS = 1000;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Which bytes of the digest become which characters. */
const ORDER = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

const md5 = (...parts: readonly (string | Buffer)[]) => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The MD5-based crypt of FreeBSD (`$1$`) and Apache (`$apr1$`), which differ in their mark only. */
function md5Crypt(password: string, salt: string, mark: string): string {
  const secret = Buffer.from(password);
  const inner = md5(secret, salt, secret);
  const parts: (string | Buffer)[] = [secret, mark, salt];
  for (let left = secret.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = secret.length; bits > 0; bits >>= 1) {
    parts.push(bits & 1 ? Buffer.from([0]) : secret.subarray(0, 1));
  }
  let digest = md5(...parts);
  for (let round = 0; round < ROUNDS; round += 1)
    digest = md5(...roundParts(round, { secret, salt, digest }));
  return `${mark}${salt}$${encodeDigest(digest)}`;
}

function roundParts(
  round: number,
  { secret, salt, digest }: { secret: Buffer; salt: string; digest: Buffer },
): (string | Buffer)[] {
  const odd = (round & 1) === 1;
  return [odd ? secret : digest, round % 3 ? salt : '', round % 7 ? secret : '', odd ? digest : secret];
}

function encodeDigest(digest: Buffer): string {
  const at = (index: number) => digest[index] ?? 0;
  const characters = (value: number, count: number) =>
    Array.from({ length: count }, (_, index) => ALPHABET[(value >> (6 * index)) & 0x3f]).join('');
  const groups = ORDER.map(([a, b, c]) => characters((at(a) << 16) | (at(b) << 8) | at(c), 4));
  return `${groups.join('')}${characters(at(11), 2)}`;
}
