import type { ListInstruction } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import type { Scope } from '../scope.ts';

/** The ports of EXPOSE as the image names them: `8080/tcp`. What stands before a colon is for `docker run`, and only checked. */
export function exposedPorts(
  scope: Scope,
  instruction: Pick<ListInstruction, 'words' | 'textRange'>,
): string[] {
  // Sorted before variables are replaced, so that the history reads as that of other builders.
  const written = instruction.words.toSorted((a, b) => (a.text < b.text ? -1 : 1));
  return written
    .flatMap((word) => scope.words(word))
    .flatMap((word) => {
      const ports = portsOf(word);
      if (ports) return ports;
      throw new BuildFailure(`${word} is no port; write it like 8080 or 8080/udp`, instruction.textRange);
    });
}

function portsOf(word: string): string[] | undefined {
  const parts = word.split(':');
  const match = /^([^/]*)(?:\/(tcp|udp|sctp|))?$/i.exec(parts.at(-1) ?? '');
  const range = portRange(match?.[1] ?? '');
  const host = parts.at(-2);
  if (!match || !range || (host !== undefined && host !== '' && !portRange(host))) return undefined;
  const protocol = match[2] ? match[2].toLowerCase() : 'tcp';
  const [first, last] = range;
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function portRange(text: string): [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  return last <= 65_535 && first <= last ? [first, last] : undefined;
}
