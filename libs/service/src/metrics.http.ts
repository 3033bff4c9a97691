import type { RequestListener } from 'node:http';
import { collectDefaultMetrics, Registry, type Histogram, type MetricValueWithName } from 'prom-client';

/** A registry of the service's own, with the figures of the process; several services may live in one process. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const NAME = 'http_request_duration_seconds';
const HELP = 'Seconds from the first byte of a request to the last of its answer';

/** Answers of one method and status. */
interface Counted {
  readonly method: string;
  readonly status: number;
  /** by bucket; each answer is in the first that it fits, the last takes the rest */
  readonly counts: number[];
  sum: number;
}

/**
 * Counts answers and their seconds by method and status. Paths are left out: they hold ids, and a label must stay small.
 * A histogram of prom-client hashes its labels on every answer, which costs more than a limit decision; this one adds up
 * by itself and is turned into the library's form when somebody reads it.
 */
export function countRequests(registry: Registry): (...args: [...Parameters<RequestListener>, () => void]) => void {
  const counted = new Map<string, Counted>();
  const about = { name: NAME, help: HELP, type: 'histogram', aggregator: 'sum' } as const;
  const metric = { ...about, get: async () => ({ ...about, values: [...counted.values()].flatMap(samplesOf) }) };
  // all that the registry asks of a metric is its name and `get`
  registry.registerMetric(metric as unknown as Histogram);
  return (request, response, next) => {
    const from = performance.now();
    response.on('close', () => {
      const method = METHODS.has(request.method ?? '') ? request.method! : 'other';
      const key = `${method} ${response.statusCode}`;
      let row = counted.get(key);
      if (row === undefined) {
        row = { method, status: response.statusCode, counts: Array<number>(BUCKETS.length + 1).fill(0), sum: 0 };
        counted.set(key, row);
      }
      const seconds = (performance.now() - from) / 1000;
      const bucket = BUCKETS.findIndex((limit) => seconds <= limit);
      row.counts[bucket === -1 ? BUCKETS.length : bucket]! += 1;
      row.sum += seconds;
    });
    next();
  };
}

/** Buckets of the exposition format hold whatever is at most their limit, those before them included. */
function samplesOf({ method, status, counts, sum }: Counted): MetricValueWithName<string>[] {
  const labels = { method, status };
  let below = 0;
  const buckets = [...BUCKETS, '+Inf'].map((le, at) => ({
    metricName: `${NAME}_bucket`,
    labels: { le, ...labels },
    value: (below += counts[at] ?? 0),
  }));
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: sum },
    { metricName: `${NAME}_count`, labels, value: below },
  ];
}
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
