/**
 * A refusal with its HTTP status. The message is the reason phrase and the `message` of the body, so it never carries
 * what a client sent or what the machine said; those belong into `cause`, which only the log and `--debug` show.
 */
export class HttpFault extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: { headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HttpFault';
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** The process cannot start as asked: wrong option, wrong configuration, port in use. Shown without a stack. */
export class StartFault extends Error {
  override readonly name = 'StartFault';
}
