import { createHash, randomInt } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { GRANTS } from '@updraft/cluster';
import type { Grant } from '@updraft/cluster';
import { Fault } from '@updraft/kit';
import { hostTrust } from './trust.ts';

/** Settings of one daemon, from its home folder and the environment. */
export interface DaemonConfig {
  readonly home: string;
  /** 6 hexadecimal digits, from the home's real path: names what the platform makes outside of it. */
  readonly id: string;
  /** Jobs at once. UPDRAFT_JOBS; default: one a core, at least 2. */
  readonly slots: number;
  /** A folder or file of OSV records. UPDRAFT_ADVISORIES. */
  readonly advisories: string | undefined;
  /** Fetch nothing for includes. UPDRAFT_OFFLINE=1. */
  readonly offline: boolean;
  /** Environments appear below it. UPDRAFT_DOMAIN; default `updraft.localhost`. */
  readonly domain: string;
  /** A bundle of certificates that this machine trusts beyond the public ones. */
  readonly trust: string | undefined;
  readonly ingressPorts: readonly number[];
  /** UPDRAFT_INGRESS_PORT is set: that port or none. */
  readonly ingressPortDemanded: boolean;
  readonly ingressTlsPorts: readonly number[];
  readonly registryPort: number;
  readonly apiPort: number;
  /** Parts of the host that the cluster's pods may have. UPDRAFT_CLUSTER_ALLOW, words separated by commas; default: none. */
  readonly grants: readonly Grant[];
}

type Env = Readonly<Record<string, string | undefined>>;

const numberOf = (text: string | undefined, fallback: number): number => {
  const number = Number(text);
  return text !== undefined && Number.isInteger(number) && number > 0 ? number : fallback;
};

/**
 * Below those that the kernel gives to whoever asks for any (32768 and up): jobs find the ingress on their own loopback,
 * so a test that listens on any port of its own must not get this one.
 */
const anyPort = (): number => randomInt(20_000, 30_000);

export function readConfig(home: string, env: Env): DaemonConfig {
  const real = realpathSync(path.resolve(home));
  const port = numberOf(env['UPDRAFT_INGRESS_PORT'], 0);
  const tlsPort = numberOf(env['UPDRAFT_INGRESS_TLS_PORT'], 0);
  return {
    home: real,
    id: createHash('sha256').update(real).digest('hex').slice(0, 6),
    slots: numberOf(env['UPDRAFT_JOBS'], Math.max(2, cpus().length)),
    advisories: env['UPDRAFT_ADVISORIES'],
    offline: env['UPDRAFT_OFFLINE'] === '1',
    trust: hostTrust(env),
    domain: env['UPDRAFT_DOMAIN'] ?? 'updraft.localhost',
    ingressPorts: port > 0 ? [port] : [80, 8080, ...Array.from({ length: 20 }, anyPort), 0],
    ingressPortDemanded: port > 0,
    ingressTlsPorts: tlsPort > 0 ? [tlsPort] : [443, 8443, ...Array.from({ length: 20 }, anyPort)],
    registryPort: numberOf(env['UPDRAFT_REGISTRY_PORT'], 5000),
    apiPort: numberOf(env['UPDRAFT_API_PORT'], 6443),
    grants: grantsOf(env['UPDRAFT_CLUSTER_ALLOW']),
  };
}

/** @throws Fault SETTING_INVALID: a word that means nothing would be taken for a grant by whoever wrote it */
function grantsOf(text = ''): Grant[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  return words.map((word) => {
    const grant = GRANTS.find((known) => known === word);
    if (grant) return grant;
    throw new Fault(
      'SETTING_INVALID',
      `UPDRAFT_CLUSTER_ALLOW: there is nothing called ${JSON.stringify(word)}`,
      {
        next: `Use some of: ${GRANTS.join(', ')}.`,
      },
    );
  });
}
