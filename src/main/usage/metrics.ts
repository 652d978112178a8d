import { NANOS_PER_DOLLAR } from '../../shared/money.ts';
import { USAGE_STATUSES } from '../../shared/usage-contract.ts';
import { FIRST_TOKEN_BUCKETS_S, type ModelCounts } from './usage-counters.ts';

/** What `/metrics` tells, at one moment. Counts are since the app was started. */
export interface MetricsSnapshot {
  readonly models: ReadonlyMap<string, ModelCounts>;
  readonly lostRows: number;
  /** Requests that wait for a model or a slot. */
  readonly queuedRequests: number;
  readonly activeRequests: number;
  readonly residentModels: number;
  readonly budgetBytes: number;
  readonly reservedBytes: number;
  readonly loads: number;
  readonly evictions: number;
}

type Labels = Readonly<Record<string, string>>;
/** What is added to the metric's name, its labels, and the value. */
type Sample = readonly [suffix: string, labels: Labels, value: number];

/** The content type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** In the text format of Prometheus. Labels are models, of which there is a bounded number, and words of ours. */
export function metricsText(snapshot: MetricsSnapshot): string {
  const models = [...snapshot.models];
  const byModel = (value: (counts: ModelCounts) => number): Sample[] =>
    models.map(([model, counts]) => ['', { model }, value(counts)]);
  const one = (value: number): Sample[] => [['', {}, value]];
  return [
    metric(
      'roundhouse_requests_total',
      'counter',
      'Requests that have ended, by the model that answered and how they ended.',
      models.flatMap(([model, { requests }]) =>
        USAGE_STATUSES.map((status): Sample => ['', { model, status }, requests[status]]),
      ),
    ),
    metric(
      'roundhouse_tokens_total',
      'counter',
      'Tokens: prompt holds cached and cache_write, completion holds reasoning.',
      models.flatMap(([model, counts]): Sample[] => [
        ['', { model, kind: 'prompt' }, counts.promptTokens],
        ['', { model, kind: 'cached' }, counts.cachedTokens],
        ['', { model, kind: 'cache_write' }, counts.cacheWriteTokens],
        ['', { model, kind: 'completion' }, counts.completionTokens],
        ['', { model, kind: 'reasoning' }, counts.reasoningTokens],
      ]),
    ),
    metric(
      'roundhouse_cost_dollars_total',
      'counter',
      'Cost of what has a known price.',
      byModel(({ costNanoDollars }) => costNanoDollars / NANOS_PER_DOLLAR),
    ),
    metric(
      'roundhouse_unpriced_tries_total',
      'counter',
      'Tries that began to answer and whose cost is not known.',
      byModel(({ unpriced }) => unpriced),
    ),
    metric(
      'roundhouse_first_token_seconds',
      'histogram',
      'From arrival to the first token, waiting and loading included.',
      models.flatMap(([model, counts]) => histogram(model, counts)),
    ),
    metric(
      'roundhouse_usage_rows_lost_total',
      'counter',
      'Requests whose row could not be written.',
      one(snapshot.lostRows),
    ),
    metric(
      'roundhouse_queued_requests',
      'gauge',
      'Requests that wait for a model or a slot.',
      one(snapshot.queuedRequests),
    ),
    metric(
      'roundhouse_active_requests',
      'gauge',
      'Requests that are being answered.',
      one(snapshot.activeRequests),
    ),
    metric('roundhouse_resident_models', 'gauge', 'Models in memory.', one(snapshot.residentModels)),
    metric(
      'roundhouse_memory_budget_bytes',
      'gauge',
      'Memory for all engines together.',
      one(snapshot.budgetBytes),
    ),
    metric(
      'roundhouse_memory_reserved_bytes',
      'gauge',
      'Of the budget, what is promised to engines.',
      one(snapshot.reservedBytes),
    ),
    metric('roundhouse_model_loads_total', 'counter', 'Models loaded.', one(snapshot.loads)),
    metric(
      'roundhouse_model_evictions_total',
      'counter',
      'Models unloaded to make room for others.',
      one(snapshot.evictions),
    ),
  ].join('');
}

function histogram(model: string, { firstTokenCounts, firstTokenSumMs }: ModelCounts): Sample[] {
  let within = 0;
  const buckets = firstTokenCounts.map((count, index): Sample => {
    within += count;
    const bound = FIRST_TOKEN_BUCKETS_S[index];
    return ['_bucket', { model, le: bound === undefined ? '+Inf' : String(bound) }, within];
  });
  return [...buckets, ['_sum', { model }, firstTokenSumMs / 1000], ['_count', { model }, within]];
}

function metric(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(([suffix, labels, value]) => `${name}${suffix}${labelsText(labels)} ${value}`);
  return `${[`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')}\n`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
