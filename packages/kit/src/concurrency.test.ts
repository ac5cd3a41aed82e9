import { expect, test } from 'vitest';
import { Emitter, KeyedLock, Semaphore, Undo, nearest, openDatabase } from './index.ts';

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

test('a semaphore lets so many in and no more, also after failures', async () => {
  const semaphore = new Semaphore(2);
  let inside = 0;
  let most = 0;
  const work = (fails: boolean) =>
    semaphore.use(async () => {
      inside += 1;
      most = Math.max(most, inside);
      await tick();
      inside -= 1;
      if (fails) throw new Error('failed');
    });
  await Promise.allSettled([work(true), work(false), work(true), work(false), work(false)]);
  expect(most).toBe(2);
});

test('a keyed lock runs one at a time for a key, in order, and others beside it', async () => {
  const lock = new KeyedLock();
  const seen: string[] = [];
  const work = (key: string, name: string) =>
    lock.use(key, async () => {
      seen.push(`${name} in`);
      await tick();
      seen.push(`${name} out`);
    });
  await Promise.all([work('a', '1'), work('a', '2'), work('b', '3')]);
  expect(seen.indexOf('1 out')).toBeLessThan(seen.indexOf('2 in'));
  expect(seen.indexOf('3 in')).toBeLessThan(seen.indexOf('1 out'));
});

test('undo runs every step, last first, and tells of all failures', async () => {
  const undo = new Undo();
  const done: number[] = [];
  undo.add(() => void done.push(1));
  undo.add(() => Promise.reject(new Error('two')));
  undo.add(() => void done.push(3));
  await expect(undo.close()).rejects.toMatchObject({ errors: [expect.objectContaining({ message: 'two' })] });
  expect(done).toEqual([3, 1]);
  await undo.close();
});

test('a listener that throws keeps nobody else from hearing', () => {
  const emitter = new Emitter<number>();
  const heard: number[] = [];
  emitter.listen(() => {
    throw new Error('deaf');
  });
  const stop = emitter.listen((value) => heard.push(value));
  expect(() => emitter.emit(1)).toThrow(AggregateError);
  stop();
  expect(() => emitter.emit(2)).toThrow(AggregateError);
  expect(heard).toEqual([1]);
});

test('a transaction is all or nothing', () => {
  const database = openDatabase(':memory:');
  database.script('CREATE TABLE t (n INTEGER)');
  database.transaction(() => database.write('INSERT INTO t VALUES (1)'));
  expect(() =>
    database.transaction(() => {
      database.write('INSERT INTO t VALUES (2)');
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(database.all('SELECT n FROM t')).toEqual([{ n: 1 }]);
  database.close();
});

test('nearest finds what was meant, and nothing when nothing is near', () => {
  expect(nearest('scrpit', ['script', 'stage'])).toBe('script');
  expect(nearest('zzz', ['script', 'stage'])).toBeUndefined();
});
