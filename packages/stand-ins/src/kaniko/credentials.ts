import type { Credentials } from '@updraft/oci';

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Credentials for a registry, where kaniko finds them: its config.json, then `DOCKER_AUTH_CONFIG`, then the
 * `CI_REGISTRY_*` variables when they are for that registry.
 */
export function credentialsFor(
  registry: string,
  configJson: string | undefined,
  env: Readonly<Record<string, string>>,
): Credentials | undefined {
  for (const text of [configJson, env['DOCKER_AUTH_CONFIG']]) {
    const found = fromConfig(registry, text);
    if (found) return found;
  }
  const username = env['CI_REGISTRY_USER'];
  const password = env['CI_REGISTRY_PASSWORD'];
  const isForIt = env['CI_REGISTRY'] === registry;
  return isForIt && username && password ? { username, password } : undefined;
}

/** An entry of `auths`; one that is no JSON or holds no password counts as absent. */
function fromConfig(registry: string, text: string | undefined): Credentials | undefined {
  const entry = Object.entries(authsOf(text)).find(([key]) => hostOf(key) === registry)?.[1];
  if (!entry) return undefined;
  if (entry.username !== undefined && entry.password !== undefined) {
    return { username: entry.username, password: entry.password };
  }
  const [username = '', ...rest] = Buffer.from(entry.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  return username !== '' && rest.length > 0 ? { username, password: rest.join(':') } : undefined;
}

function authsOf(text: string | undefined): Readonly<Record<string, AuthEntry>> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    const auths =
      typeof parsed === 'object' && parsed !== null && 'auths' in parsed ? parsed.auths : undefined;
    return typeof auths === 'object' && auths !== null ? (auths as Record<string, AuthEntry>) : {};
  } catch {
    return {};
  }
}

/** Keys may be bare hosts or URLs; Docker Hub has a name of its own. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' ? 'docker.io' : host;
}
