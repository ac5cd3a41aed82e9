import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, readConfig } from '../lib/config.ts';
import { numbersAreExact } from '../lib/exact-numbers.ts';
import { readOptions } from '../lib/options.ts';
import { ServiceLog } from '../lib/request-log.ts';
import { startService } from '../lib/service.ts';
import { packageDir } from '../lib/places.ts';
import { withFolder } from './testing/running-app.ts';

describe('numbersAreExact', () => {
  it.each([
    '1',
    '0.1',
    '-0',
    '1e2',
    '100',
    '1.50',
    '123456789012345.5',
    '9007199254740992',
    '1E+3',
    '0.0e9',
    '1e-7',
    '12300000000000000000000',
    '"1e999"',
    '"\\"9007199254740993"',
  ])('keeps %s', (text) => {
    expect(numbersAreExact(text)).toBe(true);
  });
  it.each([
    '1e400',
    '-1e400',
    '9007199254740993',
    '0.10000000000000001',
    '1e-400',
    '123456789012345678901',
    `1e${'9'.repeat(500)}`,
  ])('refuses %s', (text) => {
    expect(numbersAreExact(`{"a":[${text}]}`)).toBe(false);
  });
});

describe('a long number', () => {
  it.each(Array.from({ length: 20 }, (_, spaces) => spaces))(
    'is seen wherever it stands: after %i',
    (spaces) => {
      const text = `${' '.repeat(spaces)}0.10000000000000001`;
      expect(numbersAreExact(text)).toBe(false);
      expect(numbersAreExact(`{"a":${text}}`)).toBe(false);
      expect(numbersAreExact(`{"a":${text.replace('0000', '')}}`)).toBe(true);
    },
  );
});

describe('readOptions', () => {
  it('has defaults', () => {
    expect(readOptions(['--config', 'a.yaml'])).toEqual({
      config: 'a.yaml',
      host: '::',
      port: 8080,
      debug: false,
    });
    expect(readOptions(['--help'])).toBeUndefined();
  });
  it.each([
    [[]],
    [['--config']],
    [['--config', 'a', '--port', 'x']],
    [['--config', 'a', '--port', '70000']],
    [['--wrong']],
    [['stray']],
  ])('refuses %j', (args) => {
    expect(() => readOptions(args)).toThrow(/--|stray/);
  });
});

const read = (text: string, env: Record<string, string> = {}) =>
  withFolder(async (dir) => {
    const file = path.join(dir, 'c.yaml');
    await writeFile(file, text);
    return readConfig(file, env);
  });

describe('readConfig', () => {
  it('fills in what is not said', async () => {
    expect(await read('')).toMatchObject({ store: { kind: 'memory' }, limits: { body_bytes: 1_048_576 } });
    expect(await read('store: {kind: file, path: /x}')).toMatchObject({
      store: { kind: 'file', path: '/x' },
    });
  });
  it.each([
    ['strore: {}', 'strore'],
    ['store: {kind: disk}', 'store'],
    ['store: {kind: file}', 'path'],
    ['store: {kind: memory, path: /x}', 'path'],
    ['store: {kind: memory, max_characters: 0}', 'store.max_characters'],
    ['limits: {body_bytes: 0}', 'limits.body_bytes'],
    ['limits: {body_bytes: many}', 'limits.body_bytes'],
    ['store: {kind: postgres, url: "mysql://x"}', 'store.url'],
    ['store: {kind: postgres, pool: 0}', 'store.pool'],
    ['- a', 'the file'],
    ['a: [', 'c.yaml'],
  ])('names the key of %s', async (text, named) => {
    await expect(read(text)).rejects.toThrow(named);
  });
  it('names a file that is not there', () => {
    expect(() => readConfig('/nowhere.yaml')).toThrow(/\/nowhere\.yaml/);
  });
  it('lays the environment over the file, and names a variable that is no setting', async () => {
    const config = await read('limits: {body_bytes: 5}', {
      ADDRSERVICE_LIMITS_BODY_BYTES: '7',
      ADDRSERVICE_SERVICE_NAME: 'Other',
      ADDRSERVICE_METRICS_PORT: '9000',
      HOME: '/root',
    });
    expect(config).toMatchObject({
      limits: { body_bytes: 7 },
      service: { name: 'Other' },
      metrics: { port: 9000 },
    });
    await expect(read('', { ADDRSERVICE_LIMIT_BODY: '1' })).rejects.toThrow(
      /ADDRSERVICE_LIMIT_BODY is no setting.*LIMITS_BODY_BYTES/,
    );
    await expect(read('', { ADDRSERVICE_LIMITS_BODY_BYTES: 'many' })).rejects.toThrow('limits.body_bytes');
    await expect(read('', { ADDRSERVICE_SERVICE_NAME: '[' })).rejects.toThrow('ADDRSERVICE_SERVICE_NAME');
    await expect(read('limits: 3', { ADDRSERVICE_LIMITS_BODY_BYTES: '7' })).rejects.toThrow('limits');
  });
  it('finds the database in the environment, in a file or in the configuration', async () => {
    const config = await read('store: {kind: postgres}');
    const make = (env: Record<string, string>) => createStore(config, 'c.yaml', env);
    expect(() => make({})).toThrow('DATABASE_URL');
    expect(() => make({ DATABASE_URL: 'mysql://secret@host/x' })).toThrow(/must begin with postgres:/);
    expect(() => make({ DATABASE_URL: 'mysql://secret@host/x' })).not.toThrow(/secret/);
    expect(() => make({ DATABASE_URL_FILE: '/nowhere' })).toThrow('/nowhere');
    expect(make({ DATABASE_URL: 'postgres://a@127.0.0.1:1/b' }).description).toMatch(/postgres/);
  });
  it.each(['local', 'memory', 'shared', 'postgres'])('accepts configs/addressbook-%s.yaml', (name) => {
    const file = path.join(packageDir, `configs/addressbook-${name}.yaml`);
    expect(
      createStore(readConfig(file), file, { DATABASE_URL: 'postgres://a@127.0.0.1:1/b' }).description,
    ).toMatch(name === 'shared' || name === 'postgres' ? /shared/ : /this process/);
  });
});

describe('ServiceLog', () => {
  const line = {
    request_id: 'a',
    method: 'GET',
    route: '/x',
    path: '/x\u001b[31m',
    status: 500,
    ms: 1.239,
    bytes: 3,
    ip: undefined,
  };

  it('gathers lines and writes them soon, clean of control characters', async () => {
    let written = '';
    const log = new ServiceLog({ write: (text) => (written += text), pretty: false });
    log.request(line);
    expect(written).toBe('');
    await expect.poll(() => written).toMatch(/"path":"\/x\?\[31m","status":500,"ms":1.24/);
    written = '';
    for (let n = 0; n < 1000; n++) log.info('x'.repeat(50));
    expect(written.length).toBeGreaterThan(30_000);
    log.flush();
    log.flush();
    expect(written.trimEnd().split('\n')).toHaveLength(1000);
  });

  it('is readable on a terminal', () => {
    let written = '';
    const log = new ServiceLog({ write: (text) => (written += text), pretty: true });
    log.request({ ...line, error: 'went wrong' });
    log.error('no');
    log.flush();
    expect(written).toMatch(/^\d\d:\d\d:\d\d\.\d{3} error request request_id=a .*error="went wrong"\n/);
  });
});

describe('startService', () => {
  const log = new ServiceLog({ write: () => undefined, pretty: false });
  const start = (config: string, port = 0, host = '127.0.0.1') =>
    withFolder(async (dir) => {
      const file = path.join(dir, 'c.yaml');
      await writeFile(file, `${config}\nshutdown: {drain_delay_ms: 1}`);
      await mkdir(path.join(dir, 'here'));
      return startService({ config: file, host, port, debug: false }, log);
    });

  it('serves until it is stopped', async () => {
    const service = await start('store: {kind: file, path: here}');
    expect((await fetch(`http://127.0.0.1:${service.port}/livez`)).status).toBe(200);
    await service.stop('test');
    await expect(fetch(`http://127.0.0.1:${service.port}/livez`)).rejects.toThrow();
  });

  it('says why it cannot start', async () => {
    await expect(start('store: {kind: file, path: /dev/null/x}')).rejects.toThrow(
      /store \(file \(shared volume\)\) cannot be opened/,
    );
    const service = await start('store: {kind: memory}');
    await expect(start('store: {kind: memory}', service.port)).rejects.toThrow(
      `port ${service.port} is in use`,
    );
    await expect(start('store: {kind: memory}', 0, '203.0.113.1')).rejects.toThrow(
      'is not an address of this machine',
    );
    await service.stop('test');
  });
});
