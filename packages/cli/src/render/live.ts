import type { Output } from '../output.ts';

const REDRAW_MS = 120;

/** Lines that stay, with a few that change below them. Without a terminal only the lines that stay. */
export class LiveLines {
  readonly #output: Output;
  readonly #footer: () => readonly string[];
  readonly #timer: NodeJS.Timeout | undefined;
  #drawn = 0;

  constructor(output: Output, footer: () => readonly string[]) {
    this.#output = output;
    this.#footer = footer;
    // The display's own heartbeat: nothing is decided by it.
    // oxlint-disable-next-line updraft/no-ambient-clock
    this.#timer = output.live ? setInterval(() => this.#redraw(), REDRAW_MS).unref() : undefined;
  }

  print(text: string): void {
    this.#erase();
    this.#output.say(text);
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #redraw(): void {
    this.#erase();
    this.#draw();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#output.raw(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (!this.#output.live) return;
    const lines = this.#footer().map((line) => line.slice(0, this.#output.columns + 10));
    if (lines.length > 0) this.#output.raw(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }
}
