import { readFile } from 'node:fs/promises';
import { codeOf, messageOf, run } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import type { ClusterAccess, ExecPlugin } from './kubeconfig.ts';

/** As whom a cluster is asked, at this moment. Certificate and key are PEM. */
export interface ClusterIdentity {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export interface CredentialOptions {
  readonly clock: Clock;
  /** What an exec plugin gets beside its own variables: the user's environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A plugin's answer is used until so long before it ends. */
const EARLY_MS = 60_000;
const PLUGIN_TIMEOUT_MS = 60_000;

/**
 * Who we are to one cluster. Tokens of files are read anew each time, a plugin is asked again when its answer ends.
 * `forget` after the cluster has refused an answer that was kept.
 */
export class ClusterCredentials {
  readonly #access: ClusterAccess;
  readonly #options: CredentialOptions;
  #kept: { readonly identity: Promise<ClusterIdentity>; until: number } | undefined;

  constructor(access: ClusterAccess, options: CredentialOptions) {
    this.#access = access;
    this.#options = options;
  }

  /** @throws PodsFault CLUSTER_CREDENTIALS */
  async current(): Promise<ClusterIdentity> {
    const { plugin, tokenFile, token, certificate, key, name } = this.#access;
    if (plugin) return this.#ofPlugin(plugin);
    const read = tokenFile === undefined ? token : await tokenOf(tokenFile);
    if (read !== undefined || (certificate !== undefined && key !== undefined)) {
      return { token: read, certificate, key };
    }
    throw new PodsFault('CLUSTER_CREDENTIALS', `the kubeconfig has no credentials for ${name}`, {
      next: 'Its user needs a token, a client-certificate with its client-key, or an exec plugin.',
    });
  }

  forget(): void {
    this.#kept = undefined;
  }

  #ofPlugin(plugin: ExecPlugin): Promise<ClusterIdentity> {
    const { clock } = this.#options;
    if (this.#kept && clock.now() < this.#kept.until) return this.#kept.identity;
    const asking = this.#ask(plugin);
    const kept = { identity: asking.then(({ identity }) => identity), until: Infinity };
    this.#kept = kept;
    const drop = () => {
      if (this.#kept === kept) this.#kept = undefined;
    };
    asking.then(({ until }) => (kept.until = until), drop);
    return kept.identity;
  }

  async #ask(plugin: ExecPlugin): Promise<{ identity: ClusterIdentity; until: number }> {
    const text = await printed(plugin, this.#access, this.#options);
    const credential = readCredential(plugin, text);
    const until = credential.expiresAt === undefined ? Infinity : credential.expiresAt - EARLY_MS;
    return { identity: credential.identity, until };
  }
}

async function tokenOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new PodsFault('CLUSTER_CREDENTIALS', `the token file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function printed(
  plugin: ExecPlugin,
  access: ClusterAccess,
  { clock, env }: CredentialOptions,
): Promise<string> {
  const late = new AbortController();
  const stop = clock.timer(PLUGIN_TIMEOUT_MS, () => late.abort(new Error('it took longer than a minute')));
  try {
    const ended = await run(plugin.command, plugin.args, {
      env: { ...env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(plugin, access)) },
      signal: late.signal,
    });
    if (ended.code === 0) return ended.stdout;
    throw pluginFault(plugin, `ended with ${ended.code ?? ended.signal}: ${lastLine(ended.stderr)}`);
  } catch (error) {
    if (error instanceof PodsFault) throw error;
    if (codeOf(error) !== 'PROGRAM_MISSING') throw pluginFault(plugin, messageOf(error));
    throw new PodsFault('CLUSTER_CREDENTIALS', `the exec plugin ${plugin.command} is not installed`, {
      cause: error,
      next: plugin.installHint ?? 'kubectl needs it for this kubeconfig too: install it.',
    });
  } finally {
    stop();
  }
}

/** As client-go hands it over: `interactive` is false, there is nobody to ask. */
function execInfo({ apiVersion, provideClusterInfo }: ExecPlugin, access: ClusterAccess): object {
  const { server, authority, tlsServerName } = access;
  const cluster = {
    server: server.href.replace(/\/$/, ''),
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
    ...(authority === undefined
      ? {}
      : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
  };
  return {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(provideClusterInfo ? { cluster } : {}) },
  };
}

function readCredential(
  plugin: ExecPlugin,
  text: string,
): { readonly identity: ClusterIdentity; readonly expiresAt: number | undefined } {
  const { kind, apiVersion, status } = credentialOf(plugin, text);
  if (kind !== 'ExecCredential') throw pluginFault(plugin, 'printed no ExecCredential');
  if (apiVersion !== plugin.apiVersion) {
    throw pluginFault(
      plugin,
      `answered in ${String(apiVersion)}, the kubeconfig asks for ${plugin.apiVersion}`,
    );
  }
  const given = (key: string): string | undefined => {
    const value = status?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const identity = {
    token: given('token'),
    certificate: given('clientCertificateData'),
    key: given('clientKeyData'),
  };
  const isPair = identity.certificate !== undefined && identity.key !== undefined;
  if (identity.token === undefined && !isPair) {
    throw pluginFault(plugin, 'gave neither a token nor a certificate with its key');
  }
  const expires = Date.parse(given('expirationTimestamp') ?? '');
  return { identity, expiresAt: Number.isNaN(expires) ? undefined : expires };
}

function credentialOf(
  plugin: ExecPlugin,
  text: string,
): { kind?: unknown; apiVersion?: unknown; status?: Record<string, unknown> } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // What it printed may hold a secret: it is not repeated.
  }
  throw pluginFault(plugin, 'printed no JSON');
}

const pluginFault = ({ command }: ExecPlugin, what: string): PodsFault =>
  new PodsFault('CLUSTER_CREDENTIALS', `the exec plugin ${command} ${what}`, {
    next: 'kubectl get namespaces with the same kubeconfig shows whether it works at all.',
  });

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
