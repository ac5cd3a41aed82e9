import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '@updraft/kit';
import { parse } from 'yaml';
import { PodsFault } from '../fault.ts';

/** A program that gives credentials, as kubectl runs it. */
export interface ExecPlugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly provideClusterInfo: boolean;
  readonly installHint: string | undefined;
}

/** How one cluster is reached, and as whom. Text that is PEM is plain PEM, never base64. */
export interface ClusterAccess {
  /** What people call it: the context of the kubeconfig. */
  readonly name: string;
  readonly server: URL;
  readonly authority: string | undefined;
  /** The name in the server's certificate, when it is not the host's. */
  readonly tlsServerName: string | undefined;
  readonly namespace: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  /** Read again and again: such tokens are renewed in place. */
  readonly tokenFile: string | undefined;
  readonly plugin: ExecPlugin | undefined;
}

type Table = Readonly<Record<string, unknown>>;

/**
 * Reads one context of a kubeconfig; files that it names are looked for beside it, as kubectl does.
 * @param context default: its current-context
 * @throws PodsFault KUBECONFIG_INVALID; KUBECONFIG_UNSUPPORTED for what would weaken or change the connection
 */
export async function readKubeconfig(file: string, context?: string): Promise<ClusterAccess> {
  const config = await parsed(file);
  const chosen = context ?? textAt(config, 'current-context');
  if (!chosen) {
    throw invalid(
      file,
      'names no current-context',
      `Name one: --context ${names(config, 'contexts').join(' or ')}.`,
    );
  }
  const entry = member(config, { file, list: 'contexts', name: chosen, key: 'context' });
  const cluster = member(config, {
    file,
    list: 'clusters',
    name: textAt(entry, 'cluster') ?? '',
    key: 'cluster',
  });
  const user = member(config, { file, list: 'users', name: textAt(entry, 'user') ?? '', key: 'user' });
  refuseUnsupported(file, cluster, user);
  const beside = { file, dir: path.dirname(path.resolve(file)) };
  const tokenFile = textAt(user, 'tokenFile');
  return {
    name: chosen,
    server: serverOf(file, textAt(cluster, 'server')),
    authority: await pem(beside, cluster, 'certificate-authority'),
    tlsServerName: textAt(cluster, 'tls-server-name'),
    namespace: textAt(entry, 'namespace'),
    certificate: await pem(beside, user, 'client-certificate'),
    key: await pem(beside, user, 'client-key'),
    token: textAt(user, 'token'),
    tokenFile: tokenFile === undefined ? undefined : path.resolve(beside.dir, tokenFile),
    plugin: pluginOf(beside, user),
  };
}

async function parsed(file: string): Promise<Table> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new PodsFault('KUBECONFIG_INVALID', `the kubeconfig ${file} cannot be read: ${why}`, {
      cause: error,
    });
  }
  try {
    const value: unknown = parse(text, { maxAliasCount: 100 });
    if (isTable(value)) return value;
  } catch (error) {
    throw invalid(file, `is not YAML: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
  throw invalid(file, 'is no kubeconfig');
}

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function textAt(table: Table, key: string): string | undefined {
  const value = Object.hasOwn(table, key) ? table[key] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const entries = (config: Table, list: string): readonly Table[] => {
  const value = config[list];
  return Array.isArray(value) ? value.filter(isTable) : [];
};

const names = (config: Table, list: string): readonly string[] =>
  entries(config, list).flatMap((entry) => textAt(entry, 'name') ?? []);

function member(
  config: Table,
  { file, list, name, key }: { file: string; list: string; name: string; key: string },
): Table {
  const found = entries(config, list).find((entry) => entry['name'] === name)?.[key];
  if (isTable(found)) return found;
  const known = names(config, list);
  throw invalid(
    file,
    `has no ${key} ${JSON.stringify(name)}`,
    known.length === 0 ? undefined : `Its ${list}: ${known.join(', ')}.`,
  );
}

function invalid(file: string, what: string, next?: string): PodsFault {
  return new PodsFault(
    'KUBECONFIG_INVALID',
    `the kubeconfig ${file} ${what}`,
    next === undefined ? {} : { next },
  );
}

/** What cannot be done as asked is refused, never left out in silence. */
function refuseUnsupported(file: string, cluster: Table, user: Table): void {
  const refuse = (what: string, next: string) => {
    throw new PodsFault('KUBECONFIG_UNSUPPORTED', `the kubeconfig ${file} ${what}`, { next });
  };
  if (cluster['insecure-skip-tls-verify'] === true) {
    refuse(
      'says insecure-skip-tls-verify: whoever is on the line could read the credentials',
      'Give the cluster its certificate-authority-data instead (openssl s_client -showcerts shows the chain).',
    );
  }
  if (textAt(cluster, 'proxy-url') !== undefined) {
    refuse(
      'names a proxy-url',
      'Proxies to clusters are not supported: use an address that is reached directly.',
    );
  }
  if (textAt(user, 'username') !== undefined || textAt(user, 'password') !== undefined) {
    refuse(
      'signs in by user name and password',
      'Kubernetes dropped that in 1.19: use a token or a certificate.',
    );
  }
  if (isTable(user['auth-provider'])) {
    refuse(
      'uses an auth-provider',
      'kubectl dropped those in 1.26: use the exec plugin that took its place.',
    );
  }
  const impersonated = ['as', 'as-uid', 'as-groups', 'as-user-extra'].find((key) => user[key] !== undefined);
  if (impersonated !== undefined) {
    refuse(`impersonates (${impersonated})`, 'Use a token of the account itself: kubectl create token NAME.');
  }
}

function serverOf(file: string, text: string | undefined): URL {
  const url = text === undefined ? undefined : URL.parse(text.includes('://') ? text : `https://${text}`);
  if (!url) throw invalid(file, `has no usable server: ${text ?? 'none is named'}`);
  if (url.protocol === 'https:') return url;
  throw new PodsFault(
    'KUBECONFIG_UNSUPPORTED',
    `the kubeconfig ${file} names a server without TLS: ${text}`,
    {
      next: 'Credentials are sent over https only.',
    },
  );
}

interface Beside {
  readonly file: string;
  readonly dir: string;
}

/** `NAME-data` in base64 wins over a file `NAME`. */
async function pem({ file, dir }: Beside, table: Table, key: string): Promise<string | undefined> {
  const data = textAt(table, `${key}-data`);
  const named = textAt(table, key);
  if (data === undefined && named === undefined) return undefined;
  const text =
    data === undefined
      ? await readBeside(file, path.resolve(dir, named ?? ''))
      : Buffer.from(data, 'base64').toString('utf8');
  if (text.includes('-----BEGIN ')) return text;
  throw invalid(file, `: ${data === undefined ? named : `${key}-data`} holds no PEM`);
}

async function readBeside(file: string, named: string): Promise<string> {
  try {
    return await readFile(named, 'utf8');
  } catch (error) {
    throw invalid(file, `names ${named}, which cannot be read: ${messageOf(error)}`);
  }
}

function pluginOf({ file, dir }: Beside, user: Table): ExecPlugin | undefined {
  const exec = user['exec'];
  if (!isTable(exec)) return undefined;
  const command = textAt(exec, 'command');
  if (command === undefined) throw invalid(file, 'has an exec plugin without a command');
  if (exec['interactiveMode'] === 'Always') {
    throw new PodsFault('KUBECONFIG_UNSUPPORTED', `the exec plugin ${command} wants to ask somebody`, {
      next: 'Sign in with it first and set interactiveMode: IfAvailable, or use a token.',
    });
  }
  const variables = Array.isArray(exec['env']) ? exec['env'].filter(isTable) : [];
  return {
    // A name is looked for in PATH; a path is relative to the file.
    command: command.includes('/') ? path.resolve(dir, command) : command,
    args: Array.isArray(exec['args']) ? exec['args'].map(String) : [],
    env: Object.fromEntries(
      variables.map((each) => [textAt(each, 'name') ?? '', textAt(each, 'value') ?? '']),
    ),
    apiVersion: textAt(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1',
    provideClusterInfo: exec['provideClusterInfo'] === true,
    installHint: textAt(exec, 'installHint'),
  };
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The cluster that this process itself runs in, as its service account; undefined: it runs in none. */
export async function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  folder = SERVICE_ACCOUNT,
): Promise<ClusterAccess | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) return undefined;
  const read = (name: string) => readFile(path.join(folder, name), 'utf8').catch(() => undefined);
  const [authority, namespace, token] = await Promise.all(['ca.crt', 'namespace', 'token'].map(read));
  if (token === undefined) return undefined;
  return {
    name: 'in-cluster',
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    authority,
    tlsServerName: undefined,
    namespace: namespace?.trim(),
    certificate: undefined,
    key: undefined,
    token: undefined,
    tokenFile: path.join(folder, 'token'),
    plugin: undefined,
  };
}
