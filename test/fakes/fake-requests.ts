import type {
  UsageDetailView,
  UsageFigures,
  UsageRequestView,
  UsageTry,
} from '../../src/shared/usage-contract.ts';

/*
 * Requests as they would be after some weeks of use: the same few kinds in turn, each with its own numbers.
 */

const DAY_MS = 86_400e3;

const NOT_THERE: UsageFigures = {
  queueMs: null,
  loadMs: null,
  prefillMs: null,
  promptTokens: null,
  cachedTokens: null,
  cacheWriteTokens: null,
  completionTokens: null,
  reasoningTokens: null,
  firstTokenMs: null,
  totalMs: 3,
  costNanoDollars: null,
  priceVersion: null,
  status: 'error',
  errorCode: 'internal_error',
};

/** A request of nobody in particular, answered by a local model. */
export function fakeRequest(id: number, changes: Partial<UsageRequestView> = {}): UsageRequestView {
  return {
    ...NOT_THERE,
    id,
    requestId: `req-${id}`,
    atMs: 0,
    user: null,
    keyName: null,
    asked: 'mistral',
    route: 'mistral → mistral; asked for by its name',
    contentType: null,
    experiment: null,
    arm: null,
    provider: 'local',
    model: 'mistral',
    streamed: true,
    tryCount: 1,
    queueMs: 0,
    loadMs: 0,
    prefillMs: 30,
    promptTokens: 200,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    completionTokens: 80,
    reasoningTokens: 0,
    firstTokenMs: 45,
    totalMs: 2_100,
    costNanoDollars: 0,
    status: 'ok',
    errorCode: null,
    ...changes,
  };
}

type Kind = (vary: (from: number, to: number) => number) => Partial<UsageRequestView>;

const remote = (
  model: string,
  provider: string,
  inNanos: number,
  outNanos: number,
  version: string,
): Kind => {
  return (vary) => {
    const promptTokens = vary(1_200, 29_000);
    const completionTokens = vary(60, 1_600);
    const cachedTokens = Math.floor(promptTokens * 0.4);
    const firstTokenMs = vary(320, 980);
    return {
      asked: model,
      route: `${model} → ${provider}; asked for by its name`,
      provider,
      model,
      queueMs: null,
      loadMs: null,
      prefillMs: null,
      promptTokens,
      cachedTokens,
      completionTokens,
      reasoningTokens: model === 'sonnet' ? Math.floor(completionTokens * 0.3) : 0,
      firstTokenMs,
      totalMs: firstTokenMs + completionTokens * 11,
      costNanoDollars: Math.round(
        (promptTokens - 0.9 * cachedTokens) * inNanos + completionTokens * outNanos,
      ),
      priceVersion: version,
    };
  };
};

const KINDS: readonly Kind[] = [
  (vary) => ({
    user: 'ada',
    keyName: 'newsroom',
    asked: 'auto',
    route:
      'auto → mistral; content type twitter goes to mistral, and its first token is expected in 41 ms of 50',
    contentType: 'twitter',
    queueMs: vary(0, 3),
    prefillMs: vary(18, 44),
    firstTokenMs: vary(48, 70),
    promptTokens: vary(30, 120),
    completionTokens: vary(40, 90),
    totalMs: vary(900, 1_900),
  }),
  (vary) => ({
    ...remote('sonnet', 'anthropic', 3_000, 15_000, 'anthropic/claude-sonnet-5-5@2026-10-07')(vary),
    user: 'grace',
    keyName: 'research',
    asked: 'tier:high',
    route: 'tier:high → sonnet; first of 2, qwen-coder is not resident and would miss 800 ms',
    contentType: 'document',
  }),
  (vary) => ({
    user: 'linus',
    asked: 'auto',
    route: 'auto → qwen-coder; content type code goes to tier:high, loaded first in 2.4 s',
    contentType: 'code',
    model: 'qwen-coder',
    queueMs: vary(2, 40),
    loadMs: vary(2_200, 2_600),
    prefillMs: vary(120, 380),
    firstTokenMs: 3_100,
    promptTokens: vary(800, 3_000),
    cachedTokens: 310,
    completionTokens: vary(60, 400),
    totalMs: vary(4_800, 9_000),
  }),
  (vary) => ({
    ...remote('gpt-mini', 'openai', 400, 1_600, 'openai/gpt-4.1-mini@2025-04-14')(vary),
    user: 'ada',
    keyName: 'newsroom',
    contentType: 'linkedin',
  }),
  (vary) => ({
    user: 'linus',
    asked: 'tier:low',
    route: 'tier:low → llama; fallback: gpt-mini answered 502, llama is next',
    model: 'llama',
    tryCount: 2,
    queueMs: vary(0, 4),
    prefillMs: vary(40, 90),
    firstTokenMs: 640,
    promptTokens: vary(90, 260),
    completionTokens: vary(60, 160),
    totalMs: vary(2_400, 3_600),
  }),
  (vary) => ({
    ...remote('qwen-72b', 'mac-studio', 0, 0, '')(vary),
    user: 'grace',
    costNanoDollars: null,
    priceVersion: null,
  }),
  () => ({
    ...NOT_THERE,
    user: 'ada',
    asked: 'sonnet',
    route: 'sonnet → anthropic; asked for by its name',
    provider: 'anthropic',
    model: 'sonnet',
    totalMs: 412,
    status: 'error',
    errorCode: 'provider_rate_limited',
  }),
  (vary) => ({
    user: 'grace',
    asked: 'mistral',
    completionTokens: vary(4, 30),
    totalMs: vary(600, 1_100),
    status: 'cancelled',
  }),
];

/** In turn, and in this ratio. */
const ORDER = [0, 1, 0, 2, 3, 0, 1, 4, 0, 3, 5, 1, 0, 6, 3, 2, 0, 1, 3, 7] as const;

/** The newest first, thicker towards now, over the last thirty days. `nowMs` is wall time. */
export function fakeRequests(count: number, nowMs: number): readonly UsageRequestView[] {
  return Array.from({ length: count }, (_, index) => {
    const id = count - index;
    const agoMs = 4_000 + (index / count) ** 2 * 29.5 * DAY_MS;
    return fakeRequestLike(id, Math.round(nowMs - agoMs));
  });
}

/** One of the kinds, by its id. */
export function fakeRequestLike(id: number, atMs: number): UsageRequestView {
  let state = id * 2_654_435_761;
  const vary = (from: number, to: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return from + (state % (to - from));
  };
  const kind = KINDS[ORDER[id % ORDER.length] ?? 0];
  return fakeRequest(id, { requestId: `req-${String(id).padStart(6, '0')}`, atMs, ...kind?.(vary) });
}

/** With the tries that the row counts: all but the last failed. */
export function fakeDetail(row: UsageRequestView, keepsTexts: boolean): UsageDetailView {
  const answered: UsageTry = {
    ...figuresOf(row),
    provider: row.provider ?? 'local',
    model: row.model ?? row.asked,
  };
  const failed: UsageTry = {
    ...NOT_THERE,
    provider: 'openai',
    model: 'gpt-mini',
    totalMs: 520,
    errorCode: 'provider_error',
  };
  const before = Array.from({ length: row.tryCount - 1 }, () => failed);
  const text = {
    prompt: 'user: Write a tweet about our new release, friendly, under 280 characters.',
    answer: 'Roundhouse 0.1 is out: many models, one Mac, one address. It says why each time it unloads one.',
  };
  return { ...row, tries: [...before, answered], text: keepsTexts && row.status === 'ok' ? text : null };
}

function figuresOf(row: UsageRequestView): UsageFigures {
  // Of a row only what its try has too.
  const names = Object.keys(NOT_THERE) as (keyof UsageFigures)[];
  return Object.fromEntries(names.map((name) => [name, row[name]])) as unknown as UsageFigures;
}
