import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { messageOf } from '@updraft/kit';
import { UnreadableReport, withPlainFile } from './plain-file.ts';

const LARGEST_BYTES = 64 * 1024 * 1024;
const DEEPEST = 200;
const CHUNK_BYTES = 64 * 1024;

/** Hears the elements of a document. */
export interface XmlListener {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/**
 * Reads an XML file of a workspace piece by piece. Entities other than the five of XML and characters by number are
 * errors: nothing is ever expanded.
 * @throws UnreadableReport with the place of the error
 */
export async function readXml(workspace: string, file: string, listener: XmlListener): Promise<void> {
  await withPlainFile(workspace, file, { maxBytes: LARGEST_BYTES }, async (handle) => {
    const parser = parserFor(file, listener);
    let decoder: TextDecoder | undefined;
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      decoder ??= decoderFor(chunk, file);
      guarded(file, () => parser.write(decoder?.decode(chunk, { stream: true }) ?? ''));
    }
    guarded(file, () => parser.write(decoder?.decode() ?? '').close());
  });
}

function guarded(file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof UnreadableReport) throw error;
    throw new UnreadableReport(`${file}: ${messageOf(error)}`);
  }
}

function parserFor(file: string, listener: XmlListener): SaxesParser {
  const parser = new SaxesParser({ position: true, fileName: file });
  let depth = 0;
  parser.on('error', (error) => {
    throw new UnreadableReport(messageOf(error));
  });
  parser.on('opentag', (tag) => {
    depth += 1;
    if (depth > DEEPEST) throw new UnreadableReport(`${file}: elements lie more than ${DEEPEST} deep`);
    listener.open(tag.name, tag.attributes as Record<string, string>);
  });
  parser.on('text', (text) => listener.text?.(text));
  parser.on('cdata', (text) => listener.text?.(text));
  parser.on('closetag', (tag) => {
    depth -= 1;
    listener.close?.(tag.name);
  });
  return parser;
}

/** As the document's first line says; UTF-8 when it says nothing. */
function decoderFor(start: Buffer, file: string): TextDecoder {
  if (start[0] === 0xff && start[1] === 0xfe) return new TextDecoder('utf-16le');
  if (start[0] === 0xfe && start[1] === 0xff) return new TextDecoder('utf-16be');
  const label = /^\s*<\?xml[^>]*\sencoding=["']([\w.-]+)["']/.exec(start.toString('latin1', 0, 200))?.[1];
  try {
    return new TextDecoder(label ?? 'utf-8');
  } catch {
    throw new UnreadableReport(`${file}: the encoding ${label} is not known`);
  }
}
