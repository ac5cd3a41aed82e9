// `npm run bench -- --service`: the address book under load at 64 connections, beside a naive Fastify port and bare
// node:http, in turns in one run. Goals are requests a second against the naive port; CPU time of a request is steadier
// on a busy machine. Needs wrk; rows with PostgreSQL need a server of the distribution or TEST_DATABASE_URL.
import { spawn, spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mustRun, root } from '../setup.mjs';

const ROUNDS = 5;
const SECONDS = 2;
/** Of Linux: the unit of /proc/PID/stat. */
const TICK_US = 10_000;
const src = path.join(root, 'src');
const entry = readFileSync(path.join(src, 'data/addresses/namo.json'), 'utf8');
const peers = fileURLToPath(new URL('./service-peers.mjs', import.meta.url));

/**
 * `entries` are there before; `goal` is the ratio to the naive port that makes the service 14, 16, 40, 16 and 8 times
 * (PostgreSQL: 4 and 5 times) as fast as the Python original, of which the naive port reaches 13, 16, 41, 14 and 4.5.
 */
const ROWS = [
  { what: 'list of one entry', entries: 1, goal: 14 / 13 },
  { what: 'GET one', entries: 1, one: true, goal: 16 / 16 },
  { what: 'list of 100', entries: 100, goal: 16 / 14 },
  { what: 'list of 1,000', entries: 1000, goal: 8 / 4.5 },
  { what: 'POST', entries: 1, post: true, goal: 40 / 41 },
];
const DATABASE_GOALS = { 'GET one': 5 / 16, POST: 4 / 41 };

const started = [];
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Undefined: the process ended without it. */
async function firstLine(file, child) {
  while (child.exitCode === null) {
    const line = /^(.*)\n/.exec(readFileSync(file, 'utf8'))?.[1];
    if (line !== undefined) return line;
    await sleep(50);
  }
  return undefined;
}

/** Its output goes to a file, as a log does. */
async function start(name, { args, env = {}, cwd = root }, dir) {
  const log = path.join(dir, `${name}.log`);
  const out = openSync(log, 'w');
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', out, 'inherit'],
  });
  started.push(child);
  return { name, child, first: await firstLine(log, child) };
}

async function startServer(name, command, dir) {
  const server = await start(name, command, dir);
  if (server.first === undefined) throw new Error(`${name} does not start`);
  const port = server.first.startsWith('{') ? JSON.parse(server.first).port : server.first;
  return { ...server, url: `http://127.0.0.1:${port}/addresses` };
}

const service = (config, env) => ({
  args: [
    'dist/main.js',
    '--config',
    `configs/addressbook-${config}.yaml`,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
  ],
  env: { ...env, ADDRSERVICE_METRICS_PORT: '0' },
  cwd: src,
});

async function create({ url }) {
  // A connection that is kept would be closed by the server while wrk has this process waiting.
  const headers = { 'content-type': 'application/json', connection: 'close' };
  const response = await fetch(url, { method: 'POST', headers, body: entry });
  return response.headers.get('location') ?? '';
}

async function fill(server, wanted) {
  server.entries ??= 0;
  for (; server.entries < wanted; server.entries++) server.one = await create(server);
}

function cpuUs({ child }) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

function load(server, row, script) {
  const url = row.one ? new URL(server.one, server.url).href : server.url;
  const before = cpuUs(server);
  const args = ['-t1', '-c64', `-d${SECONDS}s`, '--latency', ...(row.post ? ['-s', script] : []), url];
  const { stdout } = spawnSync('wrk', args, { encoding: 'utf8' });
  const after = cpuUs(server);
  const find = (pattern) => pattern.exec(stdout)?.[1] ?? '';
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${server.name}, ${row.what}: ${stdout}`);
  const [, amount = 0, unit = ''] = /99%\s+([\d.]+)(\w+)/.exec(stdout) ?? [];
  return {
    perSecond: Number(find(/Requests\/sec:\s+([\d.]+)/)),
    p99Ms: Number(amount) * { us: 0.001, ms: 1, s: 1000 }[unit],
    us: (after - before) / Number(find(/(\d+) requests in/)),
  };
}

async function measureRow(row, servers, script) {
  const runs = new Map(servers.map(({ name }) => [name, []]));
  for (const server of servers) await fill(server, row.entries);
  for (let round = 0; round < ROUNDS; round++)
    for (const server of servers) runs.get(server.name).push(load(server, row, script));
  const naive = runs.get('naive Fastify');
  return servers.map(({ name }) => {
    const own = runs.get(name);
    const of = (key) => median(own.map((run) => run[key]));
    const ratio = (key) => median(own.map((run, round) => run[key] / naive[round][key]));
    return {
      what: row.what,
      server: name,
      'requests/s': Math.round(of('perSecond')),
      'p99 ms': of('p99Ms').toFixed(1),
      'CPU µs': of('us').toFixed(1),
      ratio: ratio('perSecond').toFixed(2),
      goal: goalOf(name, row)?.toFixed(2) ?? '',
      'CPU ratio': ratio('us').toFixed(2),
    };
  });
}

function goalOf(name, row) {
  if (name === 'address book') return row.goal;
  return name === 'with PostgreSQL' ? DATABASE_GOALS[row.what] : undefined;
}

async function startAll(dir) {
  mustRun(process.execPath, [path.join(src, 'scripts/build.mjs')]);
  const servers = [
    await startServer('bare node:http', { args: [peers, 'bare'] }, dir),
    await startServer('naive Fastify', { args: [peers, 'naive'] }, dir),
    await startServer('address book', service('memory', {}), dir),
  ];
  const script = fileURLToPath(new URL('./service-database.ts', import.meta.url));
  const database = await start('database', { args: ['--import', 'tsx', script] }, dir);
  if (database.first === undefined) console.error('No PostgreSQL server here: no rows with it');
  else {
    const env = { DATABASE_URL: database.first };
    servers.push(await startServer('with PostgreSQL', service('postgres', env), dir));
  }
  return servers;
}

/** The service ends on SIGTERM, the others and the database with their standard input. */
async function stopAll() {
  for (const child of started) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end();
    if (child.spawnargs.includes('dist/main.js')) child.kill('SIGKILL');
    if (child.exitCode === null) await ended;
  }
}

/** True when every goal is met. */
export async function measureService(dir) {
  if (spawnSync('wrk', ['--version']).error) {
    console.error('wrk is not installed (apt-get install wrk): the service is not measured');
    return true;
  }
  const script = path.join(dir, 'post.lua');
  const body = `[==[${entry}]==]`;
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = ${body}\n`,
  );
  const rows = [];
  try {
    const servers = await startAll(dir);
    for (const row of ROWS) rows.push(...(await measureRow(row, servers, script)));
  } finally {
    await stopAll();
  }
  console.table(rows);
  console.error(`load ${loadavg()[0].toFixed(1)}`);
  return rows.every(({ ratio, goal }) => goal === '' || Number(ratio) >= Number(goal));
}
