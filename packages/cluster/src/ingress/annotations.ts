import { BlockList, isIP } from 'node:net';
import type { Ingress } from '../kinds/network.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { Affinity, BasicAuth, Cors, Limit, RouteSettings } from './settings.ts';

const PREFIX = 'nginx.ingress.kubernetes.io/';

/** An annotation that is not acted upon, and why. */
export interface AnnotationNote {
  readonly annotation: string;
  readonly why: string;
}

/** They shape buffers and logs of nginx itself: without it there is nothing they could change. */
const WITHOUT_EFFECT = new Set([
  'proxy-buffering',
  'proxy-request-buffering',
  'proxy-buffer-size',
  'proxy-buffers-number',
  'proxy-busy-buffers-size',
  'proxy-max-temp-file-size',
  'proxy-http-version',
  'client-body-buffer-size',
  'enable-access-log',
  'enable-rewrite-log',
  'preserve-trailing-slash',
  'proxy-next-upstream',
  'proxy-next-upstream-tries',
  'proxy-next-upstream-timeout',
  'service-upstream',
  'proxy-ssl-verify',
  'proxy-ssl-server-name',
  'websocket-services',
]);

/** Reads single annotations, and keeps a note of what it cannot use. */
class Reader {
  readonly notes: AnnotationNote[] = [];
  readonly #values: ReadonlyMap<string, string>;
  readonly #asked = new Set<string>();

  constructor(annotations: Readonly<Record<string, string>>) {
    const ours = Object.entries(annotations).filter(([name]) => name.startsWith(PREFIX));
    this.#values = new Map(ours.map(([name, value]) => [name.slice(PREFIX.length), value.trim()]));
  }

  note(name: string, why: string): void {
    this.notes.push({ annotation: `${PREFIX}${name}`, why });
  }

  text(name: string): string | undefined {
    this.#asked.add(name);
    return this.#values.get(name) || undefined;
  }

  /** A value that `read` makes nothing of is noted and left out. */
  read<T>(name: string, read: (text: string) => T | undefined): T | undefined {
    const text = this.text(name);
    const value = text === undefined ? undefined : read(text);
    if (text !== undefined && value === undefined)
      this.note(name, `${JSON.stringify(text)} is no value for it`);
    return value;
  }

  flag(name: string, otherwise = false): boolean {
    const found = this.read(name, (text) =>
      /^(true|false)$/i.test(text) ? { is: text.toLowerCase() === 'true' } : undefined,
    );
    return found?.is ?? otherwise;
  }

  count(name: string): number | undefined {
    return this.read(name, (text) => (/^\d{1,9}s?$/.test(text) ? Number.parseInt(text, 10) : undefined));
  }

  millis(name: string, otherwise: number): number {
    const seconds = this.count(name);
    return seconds ? seconds * 1000 : otherwise;
  }

  noteUnknown(): void {
    for (const name of this.#values.keys()) {
      if (!this.#asked.has(name) && !WITHOUT_EFFECT.has(name))
        this.note(name, 'this ingress does not know it');
    }
  }
}

/** The settings of an Ingress, and what of its annotations is not acted upon. Never throws. */
export function readAnnotations(ingress: Ingress): {
  readonly settings: RouteSettings;
  readonly notes: readonly AnnotationNote[];
} {
  const reader = new Reader(ingress.metadata.annotations ?? {});
  const settings: RouteSettings = {
    sslRedirect: reader.flag('ssl-redirect', true),
    forceSslRedirect: reader.flag('force-ssl-redirect'),
    useRegex: reader.flag('use-regex'),
    rewriteTarget: reader.read('rewrite-target', headerText),
    redirect: redirectOf(reader),
    appRoot: reader.read('app-root', (text) => (text.startsWith('/') ? headerText(text) : undefined)),
    maxBodyBytes: reader.read('proxy-body-size', sizeOf)?.bytes,
    connectTimeoutMs: reader.millis('proxy-connect-timeout', DEFAULT_SETTINGS.connectTimeoutMs),
    readTimeoutMs: reader.millis('proxy-read-timeout', DEFAULT_SETTINGS.readTimeoutMs),
    sendTimeoutMs: reader.millis('proxy-send-timeout', DEFAULT_SETTINGS.sendTimeoutMs),
    protocol: protocolOf(reader),
    affinity: affinityOf(reader),
    cors: corsOf(reader),
    allowed:
      rangesOf(reader, 'allowlist-source-range', nobody) ??
      rangesOf(reader, 'whitelist-source-range', nobody),
    denied: rangesOf(reader, 'denylist-source-range', everybody),
    basicAuth: basicAuthOf(reader, ingress.metadata.namespace ?? 'default'),
    limit: limitOf(reader),
    upstreamHost: reader.read('upstream-vhost', headerText),
    forwardedPrefix: reader.read('x-forwarded-prefix', headerText),
    aliases: listOf(reader.text('server-alias')).map((alias) => alias.toLowerCase()),
  };
  reader.noteUnknown();
  return { settings, notes: reader.notes };
}

/** What may stand in a header: no control characters, for they would end it. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const headerText = (text: string) => (/[\u0000-\u001f\u007f]/.test(text) ? undefined : text);

const listOf = (text: string | undefined): string[] =>
  (text ?? '').split(',').flatMap((part) => (part.trim() ? [part.trim()] : []));

function redirectOf(reader: Reader): RouteSettings['redirect'] {
  const code = (name: string, otherwise: number) => {
    const asked = reader.count(name);
    return asked !== undefined && asked >= 300 && asked <= 308 ? asked : otherwise;
  };
  const permanentCode = code('permanent-redirect-code', 301);
  const temporaryCode = code('temporal-redirect-code', 302);
  const temporary = reader.read('temporal-redirect', headerText);
  const permanent = reader.read('permanent-redirect', headerText);
  if (temporary !== undefined) return { code: temporaryCode, to: temporary };
  return permanent === undefined ? undefined : { code: permanentCode, to: permanent };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** As nginx writes sizes: `8m`. 0: any. */
function sizeOf(text: string): { readonly bytes: number | undefined } | undefined {
  const found = /^(\d{1,12})([kmg]?)b?$/i.exec(text);
  if (!found) return undefined;
  const bytes = Number(found[1]) * (UNITS[(found[2] ?? '').toLowerCase()] ?? 1);
  return { bytes: bytes === 0 ? undefined : bytes };
}

function protocolOf(reader: Reader): RouteSettings['protocol'] {
  const asked = (reader.text('backend-protocol') ?? 'HTTP').toUpperCase();
  if (asked === 'HTTP' || asked === 'AUTO_HTTP') return 'http';
  if (asked === 'HTTPS') return 'https';
  reader.note(
    'backend-protocol',
    `pods that speak ${asked} cannot be reached: requests are answered with 501`,
  );
  return 'unsupported';
}

const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

function affinityOf(reader: Reader): Affinity | undefined {
  const kind = reader.read('affinity', (text) => (text === 'cookie' ? text : undefined));
  const cookie = reader.read('session-cookie-name', (text) => (COOKIE_NAME.test(text) ? text : undefined));
  const age = reader.count('session-cookie-max-age') ?? reader.count('session-cookie-expires');
  const plain = (text: string) => (text.includes(';') ? undefined : headerText(text));
  const path = reader.read('session-cookie-path', plain);
  const sameSite = reader.read('session-cookie-samesite', (text) =>
    /^(none|lax|strict)$/i.test(text) ? text : undefined,
  );
  const secure = reader.flag('session-cookie-secure');
  // Every request of a session goes to the same pod as long as there is one: `balanced` and `persistent` are one here.
  reader.text('affinity-mode');
  if (kind === undefined) return undefined;
  return { cookie: cookie ?? 'INGRESSCOOKIE', path: path ?? '/', maxAgeSeconds: age, sameSite, secure };
}

function corsOf(reader: Reader): Cors | undefined {
  const enabled = reader.flag('enable-cors');
  const origins = listOf(reader.read('cors-allow-origin', headerText));
  const cors: Cors = {
    origins: origins.length > 0 ? origins : ['*'],
    methods: reader.read('cors-allow-methods', headerText) ?? 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
    headers:
      reader.read('cors-allow-headers', headerText) ??
      'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
    exposed: reader.read('cors-expose-headers', headerText) ?? '',
    credentials: reader.flag('cors-allow-credentials', true),
    maxAgeSeconds: reader.count('cors-max-age') ?? 1_728_000,
  };
  return enabled ? cors : undefined;
}

/** A list with a mistake in it lets nobody through: half of it would be a hole that nobody sees. */
function rangesOf(reader: Reader, name: string, mistaken: () => BlockList): BlockList | undefined {
  const text = reader.text(name);
  if (text === undefined) return undefined;
  const list = new BlockList();
  for (const range of listOf(text)) {
    if (addRange(list, range)) continue;
    reader.note(name, `${JSON.stringify(range)} is no range of addresses: every request is refused`);
    return mistaken();
  }
  return list;
}

function addRange(list: BlockList, range: string): boolean {
  const [address = '', bits] = range.split('/', 2);
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most) return false;
  list.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  return true;
}

const nobody = () => new BlockList();

function everybody(): BlockList {
  const list = new BlockList();
  list.addSubnet('0.0.0.0', 0, 'ipv4');
  list.addSubnet('::', 0, 'ipv6');
  return list;
}

function basicAuthOf(reader: Reader, namespace: string): BasicAuth | undefined {
  const type = reader.text('auth-type');
  const secret = reader.text('auth-secret');
  const realm = reader.read('auth-realm', headerText) ?? 'Authentication Required';
  const isMap = reader.text('auth-secret-type') === 'auth-map';
  if (type === undefined) return undefined;
  if (type !== 'basic') reader.note('auth-type', `only basic is known: every request is refused`);
  const [first = '', second] = (secret ?? '').split('/', 2);
  // As nginx: Secrets of other namespaces are not for this one.
  const foreign = second !== undefined && first !== namespace;
  if (foreign) reader.note('auth-secret', 'a Secret of another namespace: every request is refused');
  const usable = type === 'basic' && !foreign;
  return { namespace, secret: usable ? (second ?? first) : '', realm, isMap };
}

function limitOf(reader: Reader): Limit | undefined {
  const factor = reader.count('limit-burst-multiplier') ?? 5;
  const perSecond = reader.count('limit-rps');
  const perMinute = reader.count('limit-rpm');
  if (perSecond) return { perSecond, burst: perSecond * factor };
  return perMinute ? { perSecond: perMinute / 60, burst: perMinute * factor } : undefined;
}
