/** One request that was answered. Ids are never labels: the route is the template. */
export interface Measured {
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number;
  readonly ms: number;
}

const NAME = 'http_request_duration_seconds';
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
/** Methods are whatever clients make up: the rest is one label. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

interface Series {
  readonly labels: string;
  /** By the first bound that holds it; the last is for what is longer than all. */
  readonly counts: number[];
  sumMs: number;
}

function seriesOf({ method, route = 'unknown', status }: Measured): Series {
  const shown = METHODS.has(method) ? method : 'other';
  return {
    labels: `method="${shown}",route="${route}",status="${status}"`,
    counts: BOUNDS_MS.map(() => 0).concat(0),
    sumMs: 0,
  };
}

/**
 * How long requests take, as a Prometheus histogram. It is fed for every request, so that it does nothing but count: a
 * general histogram validates, sorts and joins its labels each time.
 */
export class RequestDurations {
  readonly #series = new Map<string, Series>();

  observe(measured: Measured): void {
    const { method, route, status, ms } = measured;
    const key = `${METHODS.has(method) ? method : ''} ${status} ${route}`;
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = seriesOf(measured)));
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && ms > (BOUNDS_MS[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sumMs += ms;
  }

  /** In the text format of Prometheus. */
  text(): string {
    const lines = [...this.#series.values()].flatMap(linesOf);
    return [
      `# HELP ${NAME} Requests by method, route and status`,
      `# TYPE ${NAME} histogram`,
      ...lines,
      '',
    ].join('\n');
  }
}

function linesOf({ labels, counts, sumMs }: Series): string[] {
  let total = 0;
  const buckets = counts.map((count, at) => {
    total += count;
    const bound = BOUNDS_MS[at];
    return `${NAME}_bucket{le="${bound === undefined ? '+Inf' : bound / 1000}",${labels}} ${total}`;
  });
  return [...buckets, `${NAME}_sum{${labels}} ${sumMs / 1000}`, `${NAME}_count{${labels}} ${total}`];
}
