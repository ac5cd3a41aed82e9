/** What a command line may touch; handed in, so that it runs in a pod, in a test and in the CLI alike. */
export interface CommandIo {
  /** Text of a file, relative to the working directory; undefined when there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** All of standard input. */
  stdin(): Promise<string>;
  stdout(text: string): void;
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
}
