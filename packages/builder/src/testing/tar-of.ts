/** A member of an archive; without a type it is a file. */
export interface Member {
  readonly name: string;
  readonly type?: 'file' | 'hardLink' | 'symlink' | 'char' | 'folder' | 'fifo';
  readonly text?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly owner?: number;
}

const FLAGS = { file: '0', hardLink: '1', symlink: '2', char: '3', folder: '5', fifo: '6' } as const;

/** A tar archive with just these members, however odd they are. */
export function tarOf(members: readonly Member[]): Buffer {
  return Buffer.concat([...members.flatMap(blocksOf), Buffer.alloc(1024)]);
}

function blocksOf({ name, type = 'file', text = '', link = '', mode = 0o644, owner = 0 }: Member): Buffer[] {
  const header = Buffer.alloc(512);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(owner, 8), 108);
  header.write(octal(owner, 8), 116);
  header.write(octal(Buffer.byteLength(text), 12), 124);
  header.write(octal(1, 12), 136);
  header.write(FLAGS[type], 156);
  header.write(link, 157);
  header.write('ustar\x0000', 257);
  header.fill(' ', 148, 156);
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      8,
    ),
    148,
  );
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512);
  body.write(text);
  return [header, body];
}
