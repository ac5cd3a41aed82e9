import { rootCertificates } from 'node:tls';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';

/** How to get through to hosts. */
export interface ConnectionOptions {
  /** Certificates (PEM) to trust beside those that every Node trusts. */
  readonly ca?: string;
  /** Takes any certificate. For tests and for networks that are trusted otherwise. */
  readonly skipTlsVerify?: boolean;
  readonly proxies?: Proxies;
}

/** Proxies by the scheme of the address that is asked for; as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say it. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts that are asked directly: `*`, or names and addresses with commas between them. */
  readonly no?: string | undefined;
}

const TIMEOUTS = { headersTimeout: 60_000, bodyTimeout: 60_000 };
const CONNECT_MS = 10_000;

/** The connections of one transfer: kept open, and closed together. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #agents = new Map<string, Dispatcher>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** What sends requests to this address. */
  to(url: URL): Dispatcher {
    const proxy = proxyFor(url, this.#options.proxies ?? {});
    const known = this.#agents.get(proxy ?? '');
    if (known) return known;
    const made = this.#make(proxy);
    this.#agents.set(proxy ?? '', made);
    return made;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #make(proxy: string | undefined): Dispatcher {
    const { ca, skipTlsVerify } = this.#options;
    const tls = {
      timeout: CONNECT_MS,
      ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      ...(skipTlsVerify && { rejectUnauthorized: false }),
    };
    if (proxy === undefined) return new Agent({ ...TIMEOUTS, connect: tls });
    // Plain HTTP goes through the proxy as a request, which every proxy takes; only TLS needs a tunnel.
    return new ProxyAgent({ ...TIMEOUTS, uri: proxy, requestTls: tls, proxyTunnel: false });
  }
}

/** The proxy for an address; none for those that are excepted, and never for this machine itself. */
export function proxyFor(url: URL, { http, https, no }: Proxies): string | undefined {
  const proxy = url.protocol === 'https:' ? https : http;
  if (!proxy || isLoopback(url.hostname) || isExcepted(url, no ?? '')) return undefined;
  return /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

/** Registries on this machine's own loopback speak plain HTTP, as for Docker. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function isExcepted(url: URL, no: string): boolean {
  const host = url.hostname.toLowerCase();
  return no
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', port] = /^\*?\.?(.*?)(?::([0-9]+))?$/.exec(entry) ?? [];
      if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80')))
        return false;
      return host === name || host.endsWith(`.${name}`);
    });
}
