const ESCAPE = '\u001B';

/** `section_start:1560896352:name[collapsed=true]` and `section_end:…`, with the control characters that hide them. */
const MARKER = new RegExp(
  String.raw`section_(?:start|end):\d+:[\w.-]+(?:\[[\w=,.-]*\])?\r${ESCAPE}\[0K`,
  'g',
);

/** As much of a marker as the end of a text may hold. */
const BEGINNING = new RegExp(
  String.raw`(?:s|se|sec|sect|secti|sectio|section|section_[\w:.[\]=,-]{0,300}(?:\r(?:${ESCAPE}(?:\[0?)?)?)?)$`,
);

/**
 * Takes the markers of GitLab's collapsible sections out of a stream of text: GitLab's pages fold by them, elsewhere
 * they are noise. A section's heading, which follows its marker, stays.
 */
export class SectionFilter {
  #kept = '';

  push(text: string): string {
    const all = (this.#kept + text).replaceAll(MARKER, '');
    const start = BEGINNING.exec(all)?.index ?? all.length;
    this.#kept = all.slice(start);
    return all.slice(0, start);
  }

  end(): string {
    const rest = this.#kept;
    this.#kept = '';
    return rest;
  }
}
