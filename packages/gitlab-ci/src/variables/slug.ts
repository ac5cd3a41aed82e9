import { sha256 } from './sha256.ts';

const MAX_REF_SLUG = 63;
const MAX_ENVIRONMENT_SLUG = 24;

/** CI_COMMIT_REF_SLUG, and the slugs of job names and project paths. Runs of `-` are kept. */
export function refSlug(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
    .slice(0, MAX_REF_SLUG);
  return slug.replaceAll(/^-+|-+$/g, '');
}

/** CI_ENVIRONMENT_SLUG: a DNS label of at most 24 characters; names it changes end with a part of their hash. */
export function environmentSlug(name: string): string {
  let slug = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
  if (!/^[a-z]/.test(slug)) slug = `env-${slug}`;
  slug = slug.replaceAll(/-+/g, '-');
  if (slug.length <= MAX_ENVIRONMENT_SLUG && slug === name) return slug.replace(/-$/, '');
  const start = slug.slice(0, 17);
  return `${start}${start.endsWith('-') ? '' : '-'}${hashSuffix(name)}`;
}

function hashSuffix(name: string): string {
  let number = 0n;
  for (const byte of sha256(name)) number = number * 256n + BigInt(byte);
  return number.toString(36).slice(-6);
}

/** A number that stays the same for a project, where GitLab has a database id. */
export function stableId(path: string): string {
  const [a = 0, b = 0, c = 0] = sha256(path);
  return String(((a << 16) | (b << 8) | c) + 1);
}
