import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pack } from 'tar-stream';
import type { ScanLayer } from '../inventory.ts';
import type { ScanImage } from '../scan-image.ts';

/** Path -> content; a path may be a whiteout (`.wh.x`), a content `-> target` makes a link, bytes make a program. */
export type LayerFiles = Readonly<Record<string, string | Buffer>>;

/** An image made of a few files, its layers written as tars into `folder`. */
export async function tinyImage(folder: string, layers: readonly LayerFiles[]): Promise<ScanImage> {
  const made: ScanLayer[] = [];
  for (const files of layers) made.push(await tinyLayer(folder, files));
  return {
    digest: `sha256:${'1'.repeat(64)}`,
    configDigest: `sha256:${'2'.repeat(64)}`,
    config: {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
    },
    repoTags: ['tiny:1'],
    repoDigests: [],
    layers: made,
  };
}

async function tinyLayer(folder: string, files: LayerFiles): Promise<ScanLayer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) {
    const link = typeof content === 'string' ? /^-> (.*)$/.exec(content)?.[1] : undefined;
    if (link === undefined) tar.entry({ name, mode: typeof content === 'string' ? 0o644 : 0o755 }, content);
    else tar.entry({ name, type: 'symlink', linkname: link });
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const diffId = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
  const file = path.join(folder, diffId.slice(7, 19));
  await writeFile(file, bytes);
  return { diffId, digest: undefined, content: { tar: file } };
}

/** A paragraph of dpkg's status file. */
export function dpkg(name: string, version: string, source?: string): string {
  const lines = [
    `Package: ${name}`,
    'Status: install ok installed',
    `Version: ${version}`,
    'Architecture: amd64',
  ];
  return `${[...lines, ...(source === undefined ? [] : [`Source: ${source}`])].join('\n')}\n\n`;
}

export const DEBIAN_12: LayerFiles = {
  'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'etc/os-release': '-> ../usr/lib/os-release',
  'etc/debian_version': '12.15\n',
};

export function npm(name: string, version: string): string {
  return JSON.stringify({ name, version });
}
