import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeTry, fakeUsageRow } from '../../../test/fakes/usage-rows.ts';
import { parseMetrics } from '../../../test/fixtures/parse-metrics.ts';
import { METRICS_TYPE, type MetricsSnapshot, metricsText } from './metrics.ts';
import { UsageCounters } from './usage-counters.ts';
import { detailOf, type UsageRow } from './usage-row.ts';

const IDLE: Omit<MetricsSnapshot, 'models'> = {
  lostRows: 0,
  queuedRequests: 0,
  activeRequests: 0,
  residentModels: 0,
  budgetBytes: 18 * 1024 ** 3,
  reservedBytes: 0,
  loads: 0,
  evictions: 0,
};

function textAfter(rows: readonly UsageRow[], of: Partial<MetricsSnapshot> = {}): string {
  const counters = new UsageCounters();
  for (const [index, row] of rows.entries()) counters.add(detailOf(row, index + 1));
  return metricsText({ ...IDLE, models: counters.models, ...of });
}

test('by hand: one request that a provider failed and llama answered', () => {
  const text = textAfter(
    [
      fakeUsageRow({
        firstTokenMs: 300,
        tries: [
          fakeTry({
            provider: 'openai',
            model: 'gpt',
            status: 'error',
            promptTokens: null,
            completionTokens: null,
            cachedTokens: null,
            firstTokenMs: null,
            costNanoDollars: null,
          }),
          fakeTry({ costNanoDollars: 3_100_000 }),
        ],
      }),
    ],
    { queuedRequests: 2, evictions: 4, loads: 5, reservedBytes: 7 },
  );
  const lines = text.split('\n');
  for (const line of [
    '# TYPE roundhouse_requests_total counter',
    'roundhouse_requests_total{model="llama",status="ok"} 1',
    'roundhouse_requests_total{model="llama",status="error"} 0',
    'roundhouse_tokens_total{model="llama",kind="prompt"} 100',
    'roundhouse_tokens_total{model="gpt",kind="prompt"} 0',
    'roundhouse_cost_dollars_total{model="llama"} 0.0031',
    'roundhouse_unpriced_tries_total{model="gpt"} 0',
    '# TYPE roundhouse_first_token_seconds histogram',
    'roundhouse_first_token_seconds_bucket{model="llama",le="0.25"} 0',
    'roundhouse_first_token_seconds_bucket{model="llama",le="0.5"} 1',
    'roundhouse_first_token_seconds_bucket{model="llama",le="+Inf"} 1',
    'roundhouse_first_token_seconds_sum{model="llama"} 0.3',
    'roundhouse_first_token_seconds_count{model="llama"} 1',
    'roundhouse_queued_requests 2',
    'roundhouse_model_evictions_total 4',
    'roundhouse_model_loads_total 5',
    'roundhouse_memory_budget_bytes 19327352832',
    'roundhouse_memory_reserved_bytes 7',
  ])
    expect(lines).toContain(line);
});

test('whatever models are called, a strict reader gets back what was counted', () => {
  const model = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const nasty = fc.stringMatching(/^[\\"\n{},= a]{1,6}$/);
  const row = fc
    .record({
      model: fc.oneof(model, nasty),
      firstTokenMs: fc.option(fc.nat(100_000)),
      promptTokens: fc.nat(10_000),
      status: fc.constantFrom('ok' as const, 'error' as const, 'cancelled' as const),
    })
    .map((one) =>
      fakeUsageRow({ firstTokenMs: one.firstTokenMs, status: one.status, tries: [fakeTry(one)] }),
    );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
      const metrics = parseMetrics(textAfter(rows));
      const models = Map.groupBy(rows, ({ tries }) => tries[0]?.model ?? '');
      const requests = metrics.get('roundhouse_requests_total');
      expect(requests?.type).toBe('counter');
      expect(requests?.samples).toHaveLength(3 * models.size);
      for (const [name, group] of models) {
        for (const { labels, value } of requests?.samples ?? []) {
          if (labels.model !== name) continue;
          expect(value).toBe(group.filter(({ status }) => status === labels.status).length);
        }
        const firstTokens = group.flatMap(({ firstTokenMs }) => firstTokenMs ?? []);
        const samples = metrics
          .get('roundhouse_first_token_seconds')
          ?.samples.filter(({ labels }) => labels.model === name);
        for (const { name: sample, labels, value } of samples ?? []) {
          if (sample.endsWith('_count')) expect(value).toBe(firstTokens.length);
          if (sample.endsWith('_sum'))
            expect(value * 1000).toBeCloseTo(
              firstTokens.reduce((sum, ms) => sum + ms, 0),
              6,
            );
          if (!sample.endsWith('_bucket')) continue;
          const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
          expect(value).toBe(firstTokens.filter((ms) => ms / 1000 <= bound).length);
        }
      }
    }),
  );
});

test('before the first request it is a whole text, too, of the version that it says', () => {
  expect(METRICS_TYPE).toContain('version=0.0.4');
  const metrics = parseMetrics(textAfter([]));
  expect(metrics.get('roundhouse_requests_total')?.samples).toEqual([]);
  expect(metrics.get('roundhouse_resident_models')?.samples).toHaveLength(1);
});

test('callers who make up models do not make up metrics without end', () => {
  const rows = Array.from({ length: 1000 }, (_, index) =>
    fakeUsageRow({ tries: [fakeTry({ model: `openai/made-up-${index}` })] }),
  );
  const samples = parseMetrics(textAfter(rows)).get('roundhouse_requests_total')?.samples ?? [];
  const models = new Set(samples.map(({ labels }) => labels.model));
  expect(models.size).toBe(201);
  const others = samples.find(({ labels }) => labels.model === '(other)' && labels.status === 'ok');
  expect(others?.value).toBe(800);
});
