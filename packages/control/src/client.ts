import type { FaultView } from './views.ts';
import type { RouteName, Routes } from './routes.ts';

/** One exchange with the daemon: an answer's status and its body as it arrives. */
export interface Transport {
  send(request: {
    readonly method: string;
    readonly path: string;
    readonly body: string | undefined;
    readonly signal: AbortSignal | undefined;
  }): Promise<{ readonly status: number; readonly body: AsyncIterable<string> }>;
}

/** The daemon refused or failed; `view` is what it said. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly status: number;
  readonly view: FaultView;

  constructor(status: number, view: FaultView) {
    super(view.message);
    this.status = status;
    this.view = view;
  }
}

type StreamRoute = { [R in RouteName]: Routes[R] extends { stream: true } ? R : never }[RouteName];
type PlainRoute = Exclude<RouteName, StreamRoute>;

export interface CallOptions {
  /** Values for `{name}` in the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Typed calls of the daemon's routes over a transport. @throws ControlError for every status of 400 and above */
export interface ControlClient {
  call<R extends PlainRoute>(
    route: R,
    request: Routes[R]['request'],
    options?: CallOptions,
  ): Promise<Routes[R]['response']>;
  stream<R extends StreamRoute>(
    route: R,
    request: Routes[R]['request'],
    options?: CallOptions,
  ): AsyncIterable<Routes[R]['response']>;
}

export function createClient(transport: Transport): ControlClient {
  return {
    async call(route, request, options = {}) {
      const body = await send(transport, route, request, options);
      let text = '';
      for await (const chunk of body) text += chunk;
      return JSON.parse(text);
    },
    async *stream(route, request, options = {}) {
      const body = await send(transport, route, request, options);
      yield* lines(body);
    },
  };
}

async function send(
  transport: Transport,
  route: string,
  request: unknown,
  options: CallOptions,
): Promise<AsyncIterable<string>> {
  const [method = '', template = ''] = route.split(' ');
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(options.path?.[name] ?? ''),
  );
  const body = request === undefined ? undefined : JSON.stringify(request);
  const answer = await transport.send({ method, path, body, signal: options.signal });
  if (answer.status < 400) return answer.body;
  let text = '';
  for await (const chunk of answer.body) text += chunk;
  throw new ControlError(answer.status, faultOf(text));
}

function faultOf(text: string): FaultView {
  try {
    return JSON.parse(text) as FaultView;
  } catch {
    return { code: 'UNREADABLE_ANSWER', message: text.slice(0, 500) || 'empty answer', next: undefined };
  }
}

async function* lines<T>(body: AsyncIterable<string>): AsyncIterable<T> {
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') yield JSON.parse(part) as T;
  }
  if (rest !== '') yield JSON.parse(rest) as T;
}
