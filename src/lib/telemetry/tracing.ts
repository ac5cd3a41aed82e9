import type { IncomingMessage } from 'node:http';
import type { Measured } from './request-durations.ts';

/** One span for each request, sent to a collector. */
export interface Tracing {
  begin(request: IncomingMessage): void;
  end(request: IncomingMessage, measured: Measured): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/**
 * Undefined when no endpoint is set (OpenTelemetry's own variables): then none of its code is loaded. Callers' trace
 * contexts (W3C traceparent) are continued.
 */
export async function startTracing(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): Promise<Tracing | undefined> {
  if (env['OTEL_SDK_DISABLED'] === 'true' || !ENDPOINTS.some((key) => env[key])) return undefined;
  const [api, core, exporter, resources, sdk] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
  ]);
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': env['OTEL_SERVICE_NAME'] ?? name }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    spanProcessors: [new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('addrservice');
  const propagator = new core.W3CTraceContextPropagator();
  const spans = new WeakMap<IncomingMessage, ReturnType<typeof tracer.startSpan>>();
  return {
    begin(request) {
      const parent = propagator.extract(api.ROOT_CONTEXT, request.headers, api.defaultTextMapGetter);
      const span = tracer.startSpan(request.method ?? 'HTTP', { kind: api.SpanKind.SERVER }, parent);
      spans.set(request, span);
    },
    end(request, { method, route, status }) {
      const span = spans.get(request);
      if (!span) return;
      // Semantic conventions for HTTP server spans; no path and no query: they name people's entries.
      span.updateName(route === undefined ? method : `${method} ${route}`);
      span.setAttributes({ 'http.request.method': method, 'http.response.status_code': status });
      if (route !== undefined) span.setAttribute('http.route', route);
      if (status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end();
    },
    close: () => provider.shutdown(),
  };
}
