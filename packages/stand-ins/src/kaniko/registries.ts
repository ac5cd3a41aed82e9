import path from 'node:path';
import { Fault } from '@updraft/kit';
import type { RegistryAccess } from '@updraft/builder';
import { isLoopback } from '@updraft/oci';
import type { Credentials } from '@updraft/oci';
import type { KanikoContext } from './command.ts';
import { credentialsFor } from './credentials.ts';
import type { Arguments } from './parse.ts';

type Job = Pick<KanikoContext, 'files' | 'env' | 'cwd'>;
type Transport = Pick<RegistryAccess, 'insecure' | 'skipTlsVerify' | 'ca'>;

/** The job's own credentials for a registry. */
export async function credentialsOf(registry: string, { files, env }: Job): Promise<Credentials | undefined> {
  const config = await files.readText(`${env['DOCKER_CONFIG'] ?? '/kaniko/.docker'}/config.json`);
  return credentialsFor(registry, config, env);
}

/** How images come out of registries for this job: its credentials, its mirrors, and what it trusts. */
export function baseAccess(parsed: Arguments, job: Job): (registry: string) => Promise<RegistryAccess> {
  const mirrors = mirrorsOf(parsed, job);
  return async (registry) => {
    const credentials = await credentialsOf(registry, job);
    return {
      ...(await transportOf(registry, 'pull', parsed, job)),
      mirrors: mirrors.get(registry) ?? [],
      mirrorsOnly: parsed.flag('skip-default-registry-fallback'),
      ...(credentials ? { credentials } : {}),
    };
  };
}

/** Flags for every registry hold for one direction, flags that name a registry for both. */
export async function transportOf(
  registry: string,
  direction: 'push' | 'pull',
  parsed: Arguments,
  job: Job,
): Promise<Transport> {
  const end = direction === 'pull' ? '-pull' : '';
  const ca = await certificates(registry, parsed, job);
  return {
    insecure:
      parsed.flag(`insecure${end}`) ||
      isPlain(registry, parsed) ||
      isLoopback(registry.replace(/:[0-9]+$/, '')),
    skipTlsVerify:
      parsed.flag(`skip-tls-verify${end}`) || parsed.texts('skip-tls-verify-registry').includes(registry),
    ...(ca === '' ? {} : { ca }),
  };
}

const isPlain = (registry: string, parsed: Arguments): boolean =>
  parsed.texts('insecure-registry').includes(registry);

/** By registry: `--registry-map from=to;from=to`, and the mirrors of Docker Hub. @throws Fault MIRROR_INVALID */
function mirrorsOf(parsed: Arguments, { env }: Job): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (registry: string, mirror: string) => {
    if (!/^[A-Za-z0-9.-]+(:[0-9]+)?(\/[\w./-]*)?$/.test(mirror))
      throw new Fault('MIRROR_INVALID', `${mirror} is no mirror; write it as host[:port][/path]`);
    const host = mirror.split('/')[0] ?? '';
    const isHttp =
      parsed.flag('insecure-pull') || isPlain(host, parsed) || isLoopback(host.replace(/:[0-9]+$/, ''));
    found.set(registry, [...(found.get(registry) ?? []), `${isHttp ? 'http' : 'https'}://${mirror}`]);
  };
  const list = (name: string, variable: string, separator: RegExp) =>
    [...parsed.texts(name), env[variable] ?? ''].flatMap((text) => text.split(separator)).filter(Boolean);
  for (const pair of list('registry-map', 'KANIKO_REGISTRY_MAP', /;/)) {
    const cut = pair.indexOf('=');
    if (cut < 1) throw new Fault('MIRROR_INVALID', `--registry-map ${pair} is not REGISTRY=MIRROR`);
    const from = pair.slice(0, cut).trim();
    add(from === 'index.docker.io' ? 'docker.io' : from, pair.slice(cut + 1).trim());
  }
  for (const mirror of list('registry-mirror', 'KANIKO_REGISTRY_MIRROR', /,/))
    add('docker.io', mirror.trim());
  return found;
}

/** Where pipelines put the certificates that the executor is to trust. */
const BUNDLES = ['/kaniko/ssl/certs/ca-certificates.crt', '/kaniko/ssl/certs/additional-ca-cert-bundle.crt'];

async function certificates(registry: string, parsed: Arguments, { files, cwd, env }: Job): Promise<string> {
  const given = parsed.texts('registry-certificate').flatMap((text) => {
    const cut = text.indexOf('=');
    return text.slice(0, cut) === registry ? [text.slice(cut + 1)] : [];
  });
  const named = [...given, env['SSL_CERT_FILE'], env['SSL_CERTIFICATE']].filter((file) => file !== undefined);
  const texts: string[] = [];
  for (const file of [...named, ...BUNDLES]) {
    // A variable may hold the certificate itself.
    const text = file.includes('-----BEGIN') ? file : await files.readText(path.posix.resolve(cwd, file));
    if (text?.includes('-----BEGIN CERTIFICATE-----')) texts.push(text);
  }
  return texts.join('\n');
}
