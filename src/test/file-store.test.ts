import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileStore } from '../lib/store/file-store.ts';
import { EntryUnreadable } from '../lib/store/store.ts';
import { withFolder } from './testing/running-app.ts';

async function openStore(dir: string): Promise<FileStore> {
  const store = new FileStore({ path: dir });
  await store.open();
  return store;
}

describe('the file store', () => {
  it('is one store for everybody who opens the folder', () =>
    withFolder(async (dir) => {
      const [one, two] = [await openStore(dir), await openStore(dir)];
      const id = await one.create('1');
      expect(await two.get(id)).toBe('1');
      await two.replace(id, '2');
      expect(await one.get(id)).toBe('2');
      expect((await one.list()).text).toBe((await two.list()).text);
      await one.remove(id);
      expect(await two.get(id)).toBeUndefined();
      expect(await two.replace(id, '3')).toBe('absent');
    }));

  it('lets one of two stores win each conditional write', () =>
    withFolder(async (dir) => {
      const stores = [await openStore(dir), await openStore(dir)];
      const id = await stores[0]!.create('0');
      let applied = 0;
      await Promise.all(
        stores.map(async (store) => {
          for (let n = 0; n < 15; n++) {
            const current = (await store.get(id)) ?? '';
            if ((await store.replace(id, String(Number(current) + 1), (text) => text === current)) === 'done')
              applied++;
          }
        }),
      );
      expect(await stores[0]!.get(id)).toBe(String(applied));
    }));

  it('says what it cannot read, and serves the rest', () =>
    withFolder(async (dir) => {
      const store = await openStore(dir);
      const good = await store.create('{"a":1}');
      const torn = 'f'.repeat(32);
      await writeFile(path.join(dir, 'entries', `${torn}.json`), '{"a":');
      await writeFile(path.join(dir, 'entries', 'notes.txt'), 'x');
      await mkdir(path.join(dir, 'entries', `${'e'.repeat(32)}.json`));
      const listing = await store.list();
      expect(listing.text).toBe(`{"${good}":{"a":1}}`);
      expect(listing.unreadable.toSorted()).toEqual(['e'.repeat(32), torn, 'notes.txt']);
      await expect(store.get(torn)).rejects.toThrow(EntryUnreadable);
    }));

  it('takes a lock over from a process that died', () =>
    withFolder(async (dir) => {
      const store = await openStore(dir);
      const id = await store.create('1');
      await writeFile(path.join(dir, 'locks', id), 'of nobody');
      expect(await store.replace(id, '2')).toBe('done');
      expect(await readdir(path.join(dir, 'locks'))).toEqual([]);
    }));

  it('clears away what dead writers left, and nothing younger', () =>
    withFolder(async (dir) => {
      await (await openStore(dir)).close();
      const old = path.join(dir, 'tmp', 'old');
      await writeFile(old, 'x');
      await utimes(old, 1, 1);
      await writeFile(path.join(dir, 'tmp', 'young'), 'x');
      await openStore(dir);
      expect(await readdir(path.join(dir, 'tmp'))).toEqual(['young']);
    }));

  it('is not ready when the volume is gone', () =>
    withFolder(async (dir) => {
      const store = await openStore(path.join(dir, 'volume'));
      await rm(path.join(dir, 'volume'), { recursive: true });
      await expect(store.ping()).rejects.toThrow(/ENOENT/);
      await expect(store.create('1')).rejects.toThrow(/ENOENT/);
      await expect(store.list()).rejects.toThrow(/ENOENT/);
    }));

  it('notices a file that was replaced behind its back', () =>
    withFolder(async (dir) => {
      const store = await openStore(dir);
      const id = await store.create('1');
      expect(await store.get(id)).toBe('1');
      const file = path.join(dir, 'entries', `${id}.json`);
      const { mtime } = await stat(file);
      await writeFile(`${file}.new`, '2');
      await utimes(`${file}.new`, mtime, mtime);
      await rename(`${file}.new`, file);
      expect(await store.get(id)).toBe('2');
    }));

  it('never shows half an entry, though its writer is killed in the middle', { timeout: 60_000 }, () =>
    withFolder(async (dir) => {
      const store = await openStore(dir);
      const script = path.join(dir, 'writer.mjs');
      const source = new URL('../dist/store/file-store.js', import.meta.url).href;
      await writeFile(
        script,
        `import { FileStore } from '${source}';
         const store = new FileStore({ path: process.argv[2] }); await store.open();
         for (;;) { const id = await store.create(JSON.stringify('x'.repeat(200_000))); process.stdout.write(id + '\\n'); }`,
      );
      const acknowledged = new Set<string>();
      for (let round = 0; round < 4; round++) {
        const writer = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
        let said = '';
        writer.stdout.on('data', (data: Buffer) => {
          said += data.toString();
          if (said.length > 33 * (3 + round)) writer.kill('SIGKILL');
        });
        await new Promise((resolve) => writer.on('close', resolve));
        for (const line of said.split('\n').slice(0, -1)) acknowledged.add(line);
      }
      expect(acknowledged.size).toBeGreaterThan(10);
      const listing = await store.list();
      expect(listing.unreadable).toEqual([]);
      const entries = JSON.parse(listing.text) as Record<string, string>;
      for (const id of acknowledged) expect(entries[id]).toHaveLength(200_000);
      expect(await readFile(path.join(dir, 'entries', `${[...acknowledged][0]}.json`), 'utf8')).toHaveLength(
        200_002,
      );
    }),
  );
});
