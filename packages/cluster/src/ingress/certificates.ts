import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { messageOf } from '@updraft/kit';
import type { Secret } from '../kinds/core.ts';
import type { Ingress } from '../kinds/network.ts';
import type { Objects } from '../kinds/objects.ts';
import { byAge, isOurs, wildcardOf } from './routes.ts';

/** What of an Ingress is not as it should be, in words for whoever wrote it. */
export interface IngressProblem {
  readonly reason: string;
  readonly message: string;
}

interface Place {
  readonly namespace: string;
  readonly secret: string | undefined;
}

type Served = { readonly context: SecureContext; readonly certificate: X509Certificate };

/**
 * Certificates by host name, from the Secrets that Ingresses name. Secrets are read at each handshake, so a changed one
 * counts from the next connection on.
 */
export class Certificates {
  readonly #objects: Objects;
  readonly #unwatch: () => void;
  /** Objects of the store are never changed: another version is another object. */
  readonly #contexts = new WeakMap<Secret, Served | Error>();
  #hosts: ReadonlyMap<string, Place> | undefined;

  constructor(objects: Objects) {
    this.#objects = objects;
    this.#unwatch = objects.store.watch(({ resource }) => {
      if (resource.startsWith('ingress')) this.#hosts = undefined;
    });
  }

  /** Does an Ingress ask for TLS for this host? */
  covers(host: string): boolean {
    return this.#placeOf(host) !== undefined;
  }

  /** undefined: the default one. */
  contextFor(host: string): SecureContext | undefined {
    const place = this.#placeOf(host);
    const served = place?.secret === undefined ? undefined : this.#load(place.namespace, place.secret);
    return served && !(served instanceof Error) ? served.context : undefined;
  }

  /** Why hosts of this ingress get the default certificate, or one that does not name them. */
  problemsOf(ingress: Ingress): IngressProblem[] {
    const namespace = ingress.metadata.namespace ?? 'default';
    return (ingress.spec.tls ?? []).flatMap(({ hosts, secretName }) => {
      if (!secretName) return [];
      const served = this.#load(namespace, secretName);
      const names = hosts ?? hostsOf(ingress);
      if (served === undefined) {
        const message = `Secret ${namespace}/${secretName} does not exist: ${listed(names)} get the default certificate`;
        return [{ reason: 'CertificateMissing', message }];
      }
      if (served instanceof Error) {
        const message = `Secret ${namespace}/${secretName} holds no usable certificate (${served.message}): ${listed(names)} get the default certificate`;
        return [{ reason: 'CertificateInvalid', message }];
      }
      const strange = names.filter((host) => served.certificate.checkHost(sample(host)) === undefined);
      const message = `the certificate in Secret ${namespace}/${secretName} does not name ${listed(strange)}`;
      return strange.length > 0 ? [{ reason: 'CertificateMismatch', message }] : [];
    });
  }

  close(): void {
    this.#unwatch();
  }

  #placeOf(host: string): Place | undefined {
    this.#hosts ??= readHosts(this.#objects);
    const name = host.toLowerCase();
    return this.#hosts.get(name) ?? this.#hosts.get(wildcardOf(name));
  }

  #load(namespace: string, name: string): Served | Error | undefined {
    const secret = this.#objects.get('secrets', namespace, name);
    if (!secret) return undefined;
    const known = this.#contexts.get(secret) ?? load(secret);
    this.#contexts.set(secret, known);
    return known;
  }
}

function load(secret: Secret): Served | Error {
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
  try {
    const [cert, key] = [text('tls.crt'), text('tls.key')];
    if (cert === '' || key === '') return new Error('tls.crt or tls.key is empty');
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return new Error('the key is another one’s');
    return { context: createSecureContext({ cert, key }), certificate };
  } catch (error) {
    return new Error(messageOf(error));
  }
}

/** Of two ingresses that claim a host, the older one's certificate is served. */
function readHosts(objects: Objects): ReadonlyMap<string, Place> {
  const classes = objects.list('ingressclasses.networking.k8s.io');
  const ingresses = objects.list('ingresses.networking.k8s.io').filter((one) => isOurs(one, classes));
  const places = new Map<string, Place>();
  for (const [host, place] of ingresses.toSorted(byAge).flatMap(placesOf)) {
    if (!places.has(host)) places.set(host, place);
  }
  return places;
}

function placesOf(ingress: Ingress): [host: string, place: Place][] {
  const namespace = ingress.metadata.namespace ?? 'default';
  return (ingress.spec.tls ?? []).flatMap(({ hosts, secretName }) =>
    (hosts?.length ? hosts : hostsOf(ingress)).map((host): [string, Place] => [
      host.toLowerCase(),
      { namespace, secret: secretName },
    ]),
  );
}

/** An entry of `tls` that names no hosts is meant for those of the rules. */
function hostsOf({ spec }: Ingress): string[] {
  return (spec.rules ?? []).flatMap(({ host }) => (host ? [host] : []));
}

const listed = (hosts: readonly string[]) => (hosts.length > 0 ? hosts.join(', ') : 'its hosts');

/** A name that a wildcard stands for: only the certificate's own wildcards are understood by `checkHost`. */
const sample = (host: string) => host.replace(/^\*\./, 'any.');
