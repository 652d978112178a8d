import type { UsageRow } from '../../src/main/usage/usage-row.ts';
import type { UsageTry } from '../../src/shared/usage-contract.ts';

export function fakeTry(given: Partial<UsageTry> = {}): UsageTry {
  return {
    provider: 'local',
    model: 'llama',
    queueMs: 1.5,
    loadMs: 0,
    prefillMs: 30.25,
    promptTokens: 100,
    cachedTokens: 40,
    cacheWriteTokens: 0,
    completionTokens: 50,
    reasoningTokens: 0,
    firstTokenMs: 45,
    totalMs: 900,
    costNanoDollars: 0,
    priceVersion: null,
    status: 'ok',
    errorCode: null,
    ...given,
  };
}

/** A request that its only try answered. */
export function fakeUsageRow(given: Partial<UsageRow> = {}): UsageRow {
  const tries = given.tries ?? [fakeTry()];
  const answer = tries.at(-1);
  return {
    requestId: 'req-1',
    atMs: Date.UTC(2026, 10, 21, 12),
    user: 'ada',
    keyName: null,
    asked: 'tier:low',
    route: 'tier:low → llama (first of 2)',
    contentType: null,
    experiment: null,
    arm: null,
    streamed: true,
    tries,
    answeredBy: tries.length === 0 ? null : tries.length - 1,
    firstTokenMs: answer?.firstTokenMs ?? null,
    totalMs: answer?.totalMs ?? 3,
    status: answer?.status ?? 'error',
    errorCode: answer?.errorCode ?? null,
    text: null,
    ...given,
  };
}
