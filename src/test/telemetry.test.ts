import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServiceLog } from '../lib/request-log.ts';
import { startService } from '../lib/service.ts';
import { RequestDurations } from '../lib/telemetry/request-durations.ts';
import { withFolder } from './testing/running-app.ts';

const QUIET = 'shutdown: {drain_delay_ms: 0}\n';

async function withService<T>(
  config: string,
  env: Record<string, string>,
  work: (url: string, started: Record<string, unknown>) => Promise<T>,
): Promise<T> {
  return withFolder(async (dir) => {
    const file = path.join(dir, 'c.yaml');
    await writeFile(file, QUIET + config);
    let written = '';
    const log = new ServiceLog({ write: (text) => (written += text), pretty: false });
    const service = await startService({ config: file, host: '127.0.0.1', port: 0, debug: false }, log, env);
    log.flush();
    try {
      return await work(`http://127.0.0.1:${service.port}`, JSON.parse(written) as Record<string, unknown>);
    } finally {
      await service.stop('test');
    }
  });
}

describe('metrics', () => {
  it('count requests by route, never by id, on a port of their own', async () => {
    await withService('metrics: {port: 0}', {}, async (url, started) => {
      await fetch(`${url}/addresses`);
      await fetch(`${url}/addresses/${'a'.repeat(32)}`);
      await fetch(`${url}/nowhere/else`);
      const text = await (await fetch(`http://127.0.0.1:${String(started['metrics_port'])}/metrics`)).text();
      expect(text).toMatch(
        /http_request_duration_seconds_count\{method="GET",route="\/addresses",status="200"\} 1/,
      );
      expect(text).toMatch(/route="\/addresses\/:id",status="404"\} 1/);
      expect(text).toMatch(/route="unknown",status="404"\} 1/);
      expect(text).toContain('nodejs_eventloop_lag');
      expect(text).not.toContain('a'.repeat(32));
      expect((await fetch(`${url}/metrics`)).status).toBe(404);
    });
  });

  it('are a histogram as Prometheus reads it', () => {
    const durations = new RequestDurations();
    const get = { method: 'GET', route: '/addresses', status: 200 };
    for (const ms of [0.5, 1, 3, 20_000]) durations.observe({ ...get, ms });
    durations.observe({ method: 'BREW', route: undefined, status: 405, ms: 1 });
    durations.observe({ method: 'COPY', route: undefined, status: 405, ms: 1 });
    const lines = durations.text().split('\n');
    const labels = 'method="GET",route="/addresses",status="200"';
    const name = 'http_request_duration_seconds';
    expect(lines).toContain(`# TYPE ${name} histogram`);
    const counts = { '0.001': 2, '0.0025': 2, '0.005': 3, '10': 3, '+Inf': 4 };
    for (const [bound, count] of Object.entries(counts))
      expect(lines).toContain(`${name}_bucket{le="${bound}",${labels}} ${count}`);
    expect(lines).toContain(`${name}_sum{${labels}} 20.0045`);
    expect(lines).toContain(`${name}_count{${labels}} 4`);
    expect(lines).toContain(`${name}_count{method="other",route="unknown",status="405"} 2`);
  });

  it('are not served when nobody asked', async () => {
    await withService('', {}, async (_url, started) => {
      expect(started['metrics_port']).toBeUndefined();
      expect(started['traces']).toBe(false);
    });
  });
});

describe('traces', () => {
  it('continue the caller’s trace and go to the collector', async () => {
    const received: string[] = [];
    const collector = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        received.push(`${request.url ?? ''} ${body}`);
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
    const traceId = 'ab'.repeat(16);
    try {
      await withService('', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, async (url) => {
        await fetch(`${url}/addresses?secret=1`, {
          headers: { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` },
        });
      });
    } finally {
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
      await new Promise((resolve) => collector.close(resolve));
    }
    const text = received.join('\n');
    expect(text).toMatch(/^\/v1\/traces /);
    expect(text).toContain(traceId);
    expect(text).toContain('GET /addresses');
    expect(text).not.toContain('secret');
  });
});
