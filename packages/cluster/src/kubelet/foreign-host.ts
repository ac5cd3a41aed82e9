import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { whyUnroutable } from '../kinds/special-addresses.ts';

/**
 * A host that a pod's author has named, as options for a connection from here: never this machine's own loopback, which
 * no pod reaches, whatever names lead there.
 * @throws Error
 */
export function foreignHost(host: string): { readonly host: string; readonly lookup: LookupFunction } {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const why = isIP(bare) === 0 ? undefined : whyUnroutable(bare);
  if (why !== undefined) throw refusal(host, why);
  return { host: bare, lookup: guardedLookup };
}

const guardedLookup: LookupFunction = (host, options, done) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    const why = addresses?.map(({ address }) => whyUnroutable(address)).find(Boolean);
    const problem = error ?? (why === undefined ? undefined : refusal(host, why));
    if (problem ?? !first) return done(problem ?? refusal(host, 'has no address'), '');
    if (options.all) done(null, addresses);
    else done(null, first.address, first.family);
  });
};

const refusal = (host: string, why: string) => new Error(`host ${JSON.stringify(host)} ${why}`);
