import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type {
  CostKey,
  CostsView,
  LatencyKey,
  LatencyRow,
  LatencyWindow,
  SuggestionView,
  UsageCallInput,
  UsageCallName,
  UsageCallOutput,
} from '../../shared/usage-contract.ts';
import type { Budgets } from './budgets.ts';
import { Cached } from './cached.ts';
import type { DataStore } from './data-store.ts';
import { type LocalModel, suggest } from './suggest.ts';
import type { UsageLog } from './usage-log.ts';

const HOUR_MS = 3600e3;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = { '1h': HOUR_MS, '24h': DAY_MS, '7d': 7 * DAY_MS } as const;
const USUAL_COST_DAYS = 30;
const MOST_COST_DAYS = 400;
const SUGGESTION_DAYS = 30;
/** Fewer tokens than this in, and out: what a small local model is good for. */
const SMALL_TOKENS = 200;
/** Somebody may look at them all day. */
const KEPT_MS = 3000;
const SUGGESTIONS_KEPT_MS = 5 * 60e3;

export interface UsageCallParts {
  readonly store: Pick<DataStore, 'call'>;
  readonly log: Pick<UsageLog, 'flush'>;
  readonly budgets: Pick<Budgets, 'view'>;
  readonly clock: Clock;
  /** Those with a latency target. */
  readonly localModels: () => readonly LocalModel[];
}

export type UsageHandlers = {
  readonly [Name in UsageCallName]: (input: UsageCallInput<Name>) => Promise<UsageCallOutput<Name>>;
};

interface CostsQuestion {
  readonly by: CostKey | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

interface LatencyQuestion {
  readonly window: LatencyWindow;
  readonly by: LatencyKey;
}

/** The calls of `usage-contract.ts`. What was recorded before a call is in its answer, unless that is a kept one. */
export function createUsageCalls(parts: UsageCallParts): UsageHandlers {
  const { store, clock } = parts;
  const ask: DataStore['call'] = (name, input) => {
    parts.log.flush();
    return store.call(name, input);
  };

  const costs = new Cached(
    clock,
    KEPT_MS,
    async ({ by, fromMs, toMs }: CostsQuestion): Promise<CostsView> => {
      const until = toMs ?? clock.nowMs() + 1;
      const from = fromMs ?? until - USUAL_COST_DAYS * DAY_MS;
      if (until - from > MOST_COST_DAYS * DAY_MS || until <= from) {
        throw new RoundhouseError(
          'invalid_request',
          `from ${from} to ${until} is not a time of up to ${MOST_COST_DAYS} days; choose a later \`fromMs\``,
          { param: 'fromMs' },
        );
      }
      return await ask('costs', { fromMs: from, toMs: until, by });
    },
  );
  const latency = new Cached(
    clock,
    KEPT_MS,
    async ({ window, by }: LatencyQuestion): Promise<readonly LatencyRow[]> => {
      const toMs = clock.nowMs() + 1;
      return await ask('latency', { fromMs: toMs - WINDOW_MS[window], toMs, by });
    },
  );
  const suggestions = new Cached(
    clock,
    SUGGESTIONS_KEPT_MS,
    async (locals: readonly LocalModel[]): Promise<readonly SuggestionView[]> => {
      const toMs = clock.nowMs() + 1;
      const facts = await ask('facts', {
        fromMs: toMs - SUGGESTION_DAYS * DAY_MS,
        toMs,
        smallTokens: SMALL_TOKENS,
        targetsMs: Object.fromEntries(locals.map((local) => [local.model, local.targetFirstTokenMs])),
      });
      return suggest(facts, locals);
    },
  );

  return {
    'usage.requests': ({ before, limit, filters }) =>
      ask('requests', { before: before ?? null, limit: limit ?? 100, filters: filters ?? {} }),
    'usage.request': async ({ id }) => {
      const request = await ask('request', id);
      if (request) return request;
      throw new RoundhouseError(
        'not_found',
        `no request has the id ${id}; \`usage.requests\` lists those that are kept (\`usage.retention\` in models.yaml)`,
      );
    },
    'usage.costs': ({ by, fromMs, toMs }) =>
      costs.get({ by: by ?? null, fromMs: fromMs ?? null, toMs: toMs ?? null }),
    'usage.latency': ({ window, by }) => latency.get({ window: window ?? '24h', by: by ?? 'model' }),
    'usage.suggestions': () => suggestions.get(parts.localModels()),
    'usage.budgets': async () => parts.budgets.view(),
  };
}
