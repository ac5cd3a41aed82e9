import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { stringify } from 'yaml';
import type { Authority, KeyPair } from './certificates.ts';

export interface CredentialOptions {
  readonly clock: Clock;
  /** Host names and addresses beside the usual ones that clients call the API server by. */
  readonly hosts?: readonly string[];
  /** The authority stays although it ends soon: what runs has been given its certificate. */
  readonly keepsAuthority?: boolean;
}

/** Certificates (PEM) of one cluster, and the key that signs its service accounts' tokens. */
export interface Credentials {
  readonly ca: string;
  /** Signs what the cluster vouches for. */
  readonly caKey: string;
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
 */
export async function createCredentials(dir: string, options: CredentialOptions): Promise<Credentials> {
  const nowMs = options.clock.now();
  const hosts = [...new Set([...USUAL_HOSTS, ...(options.hosts ?? [])])];
  const kept: Kept = {
    ca: await readPair(dir, 'ca'),
    server: await readPair(dir, 'server'),
    client: await readPair(dir, 'client'),
    token: await readPair(dir, 'token'),
  };
  const caStays = isUsable(kept.ca, { nowMs, ...(options.keepsAuthority ? { lastsMs: 0 } : {}) });
  const stays = {
    ca: caStays,
    server: caStays && isUsable(kept.server, { nowMs, hosts, issuer: kept.ca }),
    client: caStays && isUsable(kept.client, { nowMs, issuer: kept.ca }),
    token: kept.token.key !== '',
  };
  const made = Object.values(stays).every(Boolean) ? kept : await renew(kept, stays, { hosts, nowMs });
  if (made !== kept) await save(dir, made);
  const { ca, server, client, token } = made;
  return { ca: ca.certificate, caKey: ca.key, server, client, tokenKey: token.key };
}

type Kept = Readonly<Record<'ca' | 'server' | 'client' | 'token', KeyPair>>;

async function readPair(dir: string, name: string): Promise<KeyPair> {
  return {
    certificate: (await readTextIfPresent(path.join(dir, `${name}.crt`))) ?? '',
    key: (await readTextIfPresent(path.join(dir, `${name}.key`))) ?? '',
  };
}

async function renew(
  kept: Kept,
  stays: Readonly<Record<keyof Kept, boolean>>,
  options: { readonly hosts: readonly string[]; readonly nowMs: number },
): Promise<Kept> {
  const { hosts, nowMs } = options;
  // Loaded only to issue: it costs more time than the rest of a start.
  const { createAuthority, loadAuthority, newKey } = await import('./certificates.ts');
  const authority: Authority = stays.ca ? await loadAuthority(kept.ca) : await createAuthority(nowMs);
  const administrator = { user: 'updraft-admin', group: 'system:masters' };
  return {
    ca: authority.pair,
    server: stays.server ? kept.server : await authority.issueServer(hosts, nowMs),
    client: stays.client ? kept.client : await authority.issueClient(administrator, nowMs),
    token: stays.token ? kept.token : { certificate: '', key: await newKey() },
  };
}

async function save(dir: string, made: Kept): Promise<void> {
  for (const [name, pair] of Object.entries(made)) {
    const options = { mode: SECRET_MODE };
    if (pair.certificate) await writeFileAtomic(path.join(dir, `${name}.crt`), pair.certificate, options);
    await writeFileAtomic(path.join(dir, `${name}.key`), pair.key, options);
  }
}

interface Need {
  readonly nowMs: number;
  /** How long it has to be good for. */
  readonly lastsMs?: number;
  readonly hosts?: readonly string[];
  readonly issuer?: KeyPair;
}

function isUsable(pair: KeyPair, need: Need): boolean {
  if (!pair.certificate || !pair.key) return false;
  try {
    const certificate = new X509Certificate(pair.certificate);
    const lasts = Date.parse(certificate.validTo) - need.nowMs > (need.lastsMs ?? RENEW_BEFORE_MS);
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
