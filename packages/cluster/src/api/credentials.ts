import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { stringify } from 'yaml';
import { ClusterFault } from '../fault.ts';
import type { Authority, KeyPair } from './certificates.ts';

export interface CredentialOptions {
  readonly clock: Clock;
  /** Host names and addresses beside the usual ones that clients call the API server by. */
  readonly hosts?: readonly string[];
}

/** Certificates (PEM) of one cluster, and the key that signs its service accounts' tokens. */
export interface Credentials {
  readonly ca: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
  readonly tokenKey: string;
}

const USUAL_HOSTS = [
  'localhost',
  '127.0.0.1',
  '::1',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];
const SECRET_MODE = 0o600;
/** A certificate that ends sooner is made anew. */
const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000;

/**
 * The credentials kept in `dir`, made when missing. The server's certificate is made anew when it does not cover
 * `hosts` or ends soon; the authority and the client's stay as long as they are valid, so that a kubeconfig goes on working.
 * Files are readable by their owner only.
 * @throws ClusterFault CREDENTIALS_UNUSABLE
 */
export async function createCredentials(dir: string, options: CredentialOptions): Promise<Credentials> {
  const nowMs = options.clock.now();
  const hosts = [...new Set([...USUAL_HOSTS, ...(options.hosts ?? [])])];
  const read = async (name: string) => ({
    certificate: (await readTextIfPresent(path.join(dir, `${name}.crt`))) ?? '',
    key: (await readTextIfPresent(path.join(dir, `${name}.key`))) ?? '',
  });
  const [ca, server, client, token] = await Promise.all(['ca', 'server', 'client', 'token'].map(read));
  if (!ca || !server || !client || !token)
    throw new ClusterFault('CREDENTIALS_UNUSABLE', `cannot read ${dir}`);
  const caStays = isUsable(ca, { nowMs });
  const serverStays = caStays && isUsable(server, { nowMs, hosts, issuer: ca });
  const clientStays = caStays && isUsable(client, { nowMs, issuer: ca });
  if (serverStays && clientStays && token.key)
    return { ca: ca.certificate, server, client, tokenKey: token.key };
  // Loaded only to issue: it costs more time than the rest of a start.
  const { createAuthority, loadAuthority, newKey } = await import('./certificates.ts');
  const authority: Authority = caStays ? await loadAuthority(ca) : await createAuthority(nowMs);
  const made = {
    ca: authority.pair,
    server: serverStays ? server : await authority.issueServer(hosts, nowMs),
    client: clientStays
      ? client
      : await authority.issueClient({ user: 'updraft-admin', group: 'system:masters' }, nowMs),
    token: { certificate: '', key: token.key || (await newKey()) },
  };
  for (const [name, pair] of Object.entries(made)) {
    if (pair.certificate)
      await writeFileAtomic(path.join(dir, `${name}.crt`), pair.certificate, { mode: SECRET_MODE });
    await writeFileAtomic(path.join(dir, `${name}.key`), pair.key, { mode: SECRET_MODE });
  }
  return { ca: made.ca.certificate, server: made.server, client: made.client, tokenKey: made.token.key };
}

interface Need {
  readonly nowMs: number;
  readonly hosts?: readonly string[];
  readonly issuer?: KeyPair;
}

function isUsable(pair: KeyPair, need: Need): boolean {
  if (!pair.certificate || !pair.key) return false;
  try {
    const certificate = new X509Certificate(pair.certificate);
    const lasts = Date.parse(certificate.validTo) - need.nowMs > RENEW_BEFORE_MS;
    const issued = !need.issuer || certificate.verify(new X509Certificate(need.issuer.certificate).publicKey);
    const covers = (need.hosts ?? []).every((host) =>
      isAddress(host) ? certificate.checkIP(host) !== undefined : certificate.checkHost(host) !== undefined,
    );
    return lasts && issued && covers;
  } catch {
    return false;
  }
}

export function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+(\.\d+){3}$/.test(host);
}

/** Base64 as kubeconfigs and CI variables hold it. */
export function base64(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

/** A kubeconfig (YAML) with the client's certificate inside. @param server URL of the API server */
export function kubeconfigYaml(credentials: Credentials, server: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'updraft', cluster: { 'certificate-authority-data': base64(credentials.ca), server } },
    ],
    users: [
      {
        name: 'updraft',
        user: {
          'client-certificate-data': base64(credentials.client.certificate),
          'client-key-data': base64(credentials.client.key),
        },
      },
    ],
    contexts: [{ name: 'updraft', context: { cluster: 'updraft', user: 'updraft' } }],
    'current-context': 'updraft',
  });
}
