import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { Fault, KeyedLock, readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { Credentials, Proxies, PullOptions } from '@updraft/oci';
import { isLoopback } from '@updraft/oci';
import { credentialsFor } from '@updraft/stand-ins';

type Env = Readonly<Record<string, string | undefined>>;

/** What a transfer with a registry needs beside the image's name. */
export type TransferAccess = Pick<PullOptions, 'credentials' | 'ca' | 'proxies' | 'insecure' | 'mirrors'>;

/**
 * How this machine gets to registries: what `updraft image login` has kept, then Docker's own config.json; the proxies of
 * the environment; the certificates that the machine trusts; mirrors that UPDRAFT_REGISTRY_MIRRORS names, as
 * `docker.io=mirror.example.com/hub,docker.io=http://10.0.0.1:5000`.
 */
export class RegistryAccess {
  readonly #own: string;
  readonly #docker: string;
  readonly #trust: string | undefined;
  readonly #proxies: Proxies;
  readonly #mirrors: string;
  readonly #lock = new KeyedLock();

  constructor({ home, trust }: { readonly home: string; readonly trust: string | undefined }, env: Env) {
    this.#own = path.join(home, 'registries.json');
    this.#docker = path.join(
      env['DOCKER_CONFIG'] ?? path.join(env['HOME'] ?? homedir(), '.docker'),
      'config.json',
    );
    this.#trust = trust;
    const read = (name: string) => env[name.toLowerCase()] ?? env[name];
    this.#mirrors = env['UPDRAFT_REGISTRY_MIRRORS'] ?? '';
    this.#proxies = { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY'), no: read('NO_PROXY') };
  }

  /** `given` credentials come before those that are kept. */
  async to(registry: string, given?: Credentials): Promise<TransferAccess> {
    const credentials = given ?? (await this.#kept(registry));
    const ca = this.#trust === undefined ? undefined : await readFile(this.#trust, 'utf8');
    return {
      insecure: isLoopback(registry.replace(/:[0-9]+$/, '')),
      proxies: this.#proxies,
      mirrors: mirrorsOf(registry, this.#mirrors),
      ...(credentials && { credentials }),
      ...(ca !== undefined && { ca }),
    };
  }

  /** What to say to somebody whom a registry has refused. */
  async advice(registry: string): Promise<string> {
    const config = jsonOf(await readTextIfPresent(this.#docker));
    const helpers = config['credHelpers'];
    const helped = isTable(helpers) && registry in helpers;
    const login = `Sign in with: updraft image login ${registry} --username NAME --password-stdin`;
    if (!helped && config['credsStore'] === undefined) return login;
    return `Docker's credential helpers are not asked. ${login}`;
  }

  /** Keeps credentials, readable by nobody else. */
  async keep(registry: string, { username, password }: Credentials): Promise<void> {
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    await this.#change((auths) => ({ ...auths, [registry]: { auth } }));
  }

  /** False when there were none. */
  async forget(registry: string): Promise<boolean> {
    let known = false;
    await this.#change((auths) => {
      known = registry in auths;
      return Object.fromEntries(Object.entries(auths).filter(([name]) => name !== registry));
    });
    return known;
  }

  async #kept(registry: string): Promise<Credentials | undefined> {
    for (const file of [this.#own, this.#docker]) {
      const found = credentialsFor(registry, await readTextIfPresent(file), {});
      if (found) return found;
    }
    return undefined;
  }

  async #change(change: (auths: Record<string, unknown>) => Record<string, unknown>): Promise<void> {
    await this.#lock.use('file', async () => {
      const config = jsonOf(await readTextIfPresent(this.#own));
      const auths = change(isTable(config['auths']) ? config['auths'] : {});
      await writeFileAtomic(this.#own, JSON.stringify({ ...config, auths }), { mode: 0o600 });
    });
  }
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A file that is not JSON counts as empty. */
function jsonOf(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return isTable(value) ? value : {};
  } catch {
    return {};
  }
}

/** @throws Fault MIRROR_INVALID */
function mirrorsOf(registry: string, setting: string): readonly string[] {
  return setting
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((pair) => {
      const [, from, mirror] =
        /^([^=]+)=((?:https?:\/\/)?[A-Za-z0-9.-]+(?::[0-9]+)?(?:\/[\w./-]*)?)$/.exec(pair) ?? [];
      if (mirror === undefined)
        throw new Fault('MIRROR_INVALID', `UPDRAFT_REGISTRY_MIRRORS: ${pair} is not REGISTRY=MIRROR`, {
          next: 'Write it like docker.io=mirror.example.com/hub and start the platform again.',
        });
      return from === registry ? [mirror] : [];
    });
}
