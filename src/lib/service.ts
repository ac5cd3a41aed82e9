import { setTimeout as sleep } from 'node:timers/promises';
import { createStore, readConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { errorCode } from './error-code.ts';
import { StartFault } from './fault.ts';
import { App } from './http/app.ts';
import type { Readiness } from './http/health.ts';
import type { Options } from './options.ts';
import type { ServiceLog } from './request-log.ts';
import { Metrics, serveMetrics } from './telemetry/metrics.ts';
import { startTracing } from './telemetry/tracing.ts';

/** A service that serves. `stop` may be called once: it drains, then ends everything it opened. */
export interface RunningService {
  readonly port: number;
  stop(reason: string): Promise<void>;
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
};

/** Resolves to the port. */
async function listen(app: App, options: Options): Promise<number> {
  try {
    return await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    const code = errorCode(error);
    // Without IPv6 there is no `::`.
    if (code === 'EAFNOSUPPORT' && options.host === '::') return listen(app, { ...options, host: '0.0.0.0' });
    const known = LISTEN_FAULTS[code];
    if (known === undefined) throw error;
    throw new StartFault(`${options.host} port ${options.port} ${known}`);
  }
}

/** @throws StartFault */
export async function startService(
  options: Options,
  log: ServiceLog,
  env: Environment = {},
): Promise<RunningService> {
  const config = readConfig(options.config, env);
  const store = createStore(config, options.config, env);
  await store.open().catch((error: unknown) => {
    throw new StartFault(
      `the store (${store.description}) cannot be opened: ${error instanceof Error ? error.message : ''}`,
    );
  });
  const readiness: Readiness = { draining: false };
  const metrics = config.metrics && new Metrics();
  const tracing = await startTracing(env, config.service.name);
  const app = new App({
    name: config.service.name,
    store,
    log,
    readiness,
    debug: options.debug,
    bodyLimit: config.limits.body_bytes,
    requestTimeoutMs: config.limits.request_timeout_ms,
    ...(metrics ? { metrics } : {}),
    ...(tracing ? { tracing } : {}),
  });
  const metricsServer =
    metrics && config.metrics ? await serveMetrics(metrics, options.host, config.metrics.port) : undefined;
  const port = await listen(app, options);
  log.info('STARTED', {
    service: config.service.name,
    port,
    metrics_port: metricsServer?.port,
    traces: tracing !== undefined,
    store: store.description,
    node: process.version,
  });
  return {
    port,
    async stop(reason) {
      readiness.draining = true;
      log.info('DRAINING', { reason, delay_ms: config.shutdown.drain_delay_ms });
      // Still serving: load balancers need this long to notice that it is no longer ready.
      await sleep(config.shutdown.drain_delay_ms);
      const force = setTimeout(() => app.server.closeAllConnections(), config.shutdown.grace_ms);
      // A connection that was busy at first becomes idle, and its client may keep it open for long.
      const idle = setInterval(() => app.server.closeIdleConnections(), 50);
      await app.close();
      clearInterval(idle);
      clearTimeout(force);
      await store.close();
      await metricsServer?.close();
      await tracing?.close();
      log.info('STOPPED', { service: config.service.name });
    },
  };
}
