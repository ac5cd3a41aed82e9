import { createHash } from 'node:crypto';
import path from 'node:path';
import { messageOf, readTextIfPresent, writeFileAtomic } from '@updraft/kit';
import { EnvHttpProxyAgent, interceptors, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { Answer } from '@updraft/gitlab-ci';
import { FILE_LIMIT_BYTES, overrideHint, readLocal, unavailable } from './place.ts';
import type { Place } from './place.ts';

const REDIRECTS = 5;
const TIMEOUT_MS = 30_000;
/** GitLab fetches again for every pipeline; commands that follow each other need not. */
const DEFAULT_AGE_SECONDS = 60;

/** The file at an address: of the user's override, else of the cache while it is fresh, else fetched. */
export async function remoteFile(place: Place, url: string, maxAgeSeconds?: number): Promise<Answer> {
  const override = place.settings.includes.get(url);
  if (override !== undefined) {
    const text = await readLocal(override);
    if (text !== undefined) return { kind: 'file', text, name: url };
    return unavailable(`${override}, which stands for ${withoutPassword(url)}, is not there`);
  }
  const fetched = await fetchKept(place, url, maxAgeSeconds ?? DEFAULT_AGE_SECONDS);
  if (typeof fetched === 'string') return { kind: 'file', text: fetched, name: withoutPassword(url) };
  return unavailable(
    `${withoutPassword(url)} cannot be fetched: ${fetched.why}`,
    overrideHint(withoutPassword(url), 'path/of/file.yml'),
  );
}

interface Kept {
  readonly at: number;
  readonly text: string;
}

/** The text; or why there is none. When the address cannot be reached, what it held before is better than nothing. */
export async function fetchKept(
  { context }: Place,
  url: string,
  maxAgeSeconds: number,
): Promise<string | { readonly why: string }> {
  const name = createHash('sha256').update(url).digest('hex').slice(0, 32);
  const file = path.join(context.home, 'includes/remote', `${name}.json`);
  const kept = parseKept(await readTextIfPresent(file));
  if (kept && (context.offline || context.now - kept.at < maxAgeSeconds * 1000)) return kept.text;
  if (context.offline) return { why: 'no network may be asked, and it was never fetched before' };
  try {
    const text = await download(url, context);
    const entry: Kept = { at: context.now, text };
    await writeFileAtomic(file, JSON.stringify(entry), { mode: 0o600 });
    return text;
  } catch (error) {
    context.signal?.throwIfAborted();
    if (!kept || error instanceof Refused) return { why: reasonOf(error) };
    context.onNote?.(
      `${withoutPassword(url)} cannot be fetched (${reasonOf(error)}): taken as it was on ${new Date(kept.at).toISOString()}`,
    );
    return kept.text;
  }
}

function parseKept(text: string | undefined): Kept | undefined {
  try {
    const { at, text: content } = JSON.parse(text ?? '') as Partial<Kept>;
    return typeof at === 'number' && typeof content === 'string' ? { at, text: content } : undefined;
  } catch {
    return undefined;
  }
}

/** The server answered, and will not answer otherwise when it is asked again. */
class Refused extends Error {}

async function download(url: string, context: Place['context']): Promise<string> {
  const address = addressOf(url);
  const agent = new EnvHttpProxyAgent({ ...proxiesOf(context.environment), connect: { timeout: 10_000 } });
  const dispatcher: Dispatcher = agent.compose(interceptors.redirect({ maxRedirections: REDIRECTS }));
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(context.signal ? [context.signal] : [])];
  try {
    const { username, password } = address;
    const response = await request(new URL(address.pathname + address.search, address.origin), {
      dispatcher,
      signal: AbortSignal.any(signals),
      headers: {
        accept: 'text/plain, */*',
        ...(username === '' ? {} : { authorization: basic(username, password) }),
      },
    });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Refused(`the server answered with the status ${response.statusCode}`);
    }
    return await limitedText(response.body);
  } finally {
    // Not `close`: a server that never ends its answer must not be waited for.
    await agent.destroy();
  }
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === 'http:' || address?.protocol === 'https:') return address;
  throw new Refused('it is no address of http or https');
}

/** Given none, undici reads them from this process. */
function proxiesOf(environment: Readonly<Record<string, string | undefined>> | undefined) {
  if (!environment) return {};
  const of = (name: string) => environment[name] ?? environment[name.toUpperCase()] ?? '';
  return { httpProxy: of('http_proxy'), httpsProxy: of('https_proxy'), noProxy: of('no_proxy') };
}

async function limitedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > FILE_LIMIT_BYTES) throw new Refused('it is larger than 2 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return `it took more than ${TIMEOUT_MS / 1000} seconds`;
  }
  const message = messageOf(error);
  return message.startsWith('Redirect loop') ? 'it redirects in a circle' : message;
}

/** Addresses go into messages. */
export const withoutPassword = (url: string): string => url.replace(/^(\w+:\/\/)[^@/]*@/, '$1');
