import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { Fault, codeOf, holdLock, jsonLogger, messageOf, removeTree } from '@updraft/kit';
import { readConfig } from './config.ts';
import { createHandlers } from './handlers.ts';
import { createPlatform } from './platform.ts';
import { startAutoStop } from './runs/auto-stop.ts';
import { startSweeping } from './runs/prune.ts';
import { createHandler } from './server/router.ts';
import { serveShell } from './server/shell.ts';

/** The daemon: one for each home. Says once on standard output whether it is ready, then writes to its log only. */
async function main(home: string): Promise<void> {
  const logger = jsonLogger((line) => void process.stderr.write(line));
  process.on('uncaughtException', (error) => logger.log('error', 'uncaught', { error, stack: error.stack }));
  process.on('unhandledRejection', (reason) => logger.log('error', 'unhandled rejection', { error: reason }));
  mkdirSync(path.join(home, 'run'), { recursive: true, mode: 0o700 });
  const release = holdLock(path.join(home, 'run', 'lock'));
  if (!release) return report({ ready: true });
  const config = readConfig(home, process.env);
  const platform = await createPlatform(config, logger);
  const endAutoStop = startAutoStop(platform);
  const endSweeping = startSweeping(platform);
  const stop = async (purge: boolean) => {
    endAutoStop();
    endSweeping();
    logger.log('info', 'stopping', { purge });
    await platform.stop().catch((error: unknown) => logger.log('error', 'stopping failed', { error }));
    if (purge) await removeTree(config.home);
    process.exit(0);
  };
  const server = createServer(createHandler(createHandlers(platform, stop), logger));
  server.on('upgrade', (request, connection) => void serveShell(platform.runner, request, connection));
  const socket = path.join(config.home, 'run', 'daemon.sock');
  // The lock is ours, so a socket that is there belongs to a daemon that died.
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  process.once('SIGTERM', () => void stop(false));
  process.once('SIGINT', () => void stop(false));
  logger.log('info', 'ready', { pid: process.pid });
  report({ ready: true });
}

function report(what: object): void {
  process.stdout.on('error', () => undefined);
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

const home = process.argv[2];
if (home === undefined) {
  process.stderr.write('usage: daemon HOME (it is started by the updraft command)\n');
  process.exit(2);
}
try {
  await main(home);
} catch (error) {
  const next = error instanceof Fault ? error.next : undefined;
  const fault = {
    code: codeOf(error) ?? 'UNEXPECTED',
    message: messageOf(error),
    ...(next === undefined ? {} : { next }),
  };
  process.stderr.write(`${JSON.stringify({ level: 'error', ...fault })}\n`);
  report({ fault });
  process.exitCode = 3;
}
