import { MEDIA } from '../../media-types.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** One check that was made; `why` says what was wrong. */
export interface Check {
  readonly name: string;
  readonly why: string | undefined;
}

/** A registry under test: requests, and the checks made so far. */
export class Subject {
  readonly checks: Check[] = [];
  readonly #base: string;
  readonly #authorization: string | undefined;

  constructor(base: string, authorization?: string) {
    this.#base = base;
    this.#authorization = authorization;
  }

  async ask(method: string, path: string, { headers = {}, body }: Ask = {}): Promise<Answer> {
    const authorization = this.#authorization;
    const response = await fetch(new URL(path, this.#base), {
      method,
      headers: { ...(authorization !== undefined && { authorization }), ...headers },
      redirect: 'manual',
      ...(body && { body: new Uint8Array(body) }),
    });
    const { status, headers: answered } = response;
    return { status, headers: answered, body: Buffer.from(await response.arrayBuffer()) };
  }

  async manifest(method: string, repository: string, reference: string): Promise<Answer> {
    const accept = `${MEDIA.ociIndex}, ${MEDIA.ociManifest}`;
    return await this.ask(method, `/v2/${repository}/manifests/${reference}`, { headers: { accept } });
  }

  /** Notes how `work` went; true when well. */
  async check(name: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.checks.push({ name, why: undefined });
      return true;
    } catch (error) {
      this.checks.push({ name, why: error instanceof Error ? error.message : String(error) });
      return false;
    }
  }
}

export function expectStatus(answer: Answer, ...statuses: readonly number[]): void {
  if (!statuses.includes(answer.status))
    throw new Error(
      `status ${answer.status}, not ${statuses.join(' or ')}: ${answer.body.subarray(0, 200).toString()}`,
    );
}

export function expectHeader(answer: Answer, name: string, value?: string): string {
  const found = answer.headers.get(name);
  if (found === null) throw new Error(`no header ${name}`);
  if (value !== undefined && found !== value) throw new Error(`${name} is ${found}, not ${value}`);
  return found;
}

export function expectBody(answer: Answer, body: Buffer): void {
  if (!answer.body.equals(body))
    throw new Error(`${answer.body.length} bytes of other content than expected`);
}

/** The specification's next edition wants what this one only allows. */
export function expectDigest(answer: Answer, digest: string): void {
  expectHeader(answer, 'docker-content-digest', digest);
}
