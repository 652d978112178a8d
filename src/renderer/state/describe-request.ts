import { formatDollars, NANOS_PER_DOLLAR } from '../../shared/money.ts';
import type { UsageFigures, UsageStatus } from '../../shared/usage-contract.ts';
import type { StateWords, Tone } from './describe-model.ts';
import { formatCount, formatSpeed, UNKNOWN } from './format.ts';

const STATUS_WORDS: Readonly<Record<UsageStatus, { readonly text: string; readonly tone: Tone }>> = {
  ok: { text: 'answered', tone: 'good' },
  error: { text: 'failed', tone: 'bad' },
  cancelled: { text: 'cancelled', tone: 'quiet' },
};

/** How a request ended, in words. */
export function describeStatus(status: UsageStatus): StateWords {
  return STATUS_WORDS[status];
}

/** Stands where there was something to pay and nobody knows what: never zero. */
export const PRICE_UNKNOWN = 'price not known';

/** What a request cost; `–` where nothing was answered, so that there is nothing to pay. */
export function formatCost({ costNanoDollars, firstTokenMs }: UsageFigures): string {
  if (costNanoDollars !== null) return formatDollars(costNanoDollars);
  return firstTokenMs === null ? UNKNOWN : PRICE_UNKNOWN;
}

/** In a column: to 0.01 cent, and `<$0.0001` below it; all of one length below a hundred dollars. */
export function formatShortDollars(nanoDollars: number | null): string {
  if (nanoDollars === null) return UNKNOWN;
  const dollars = nanoDollars / NANOS_PER_DOLLAR;
  if (dollars === 0) return '$0.00';
  if (dollars < 0.0001) return '<$0.0001';
  return `$${dollars.toFixed(dollars < 100 ? 4 : 2)}`;
}

/** `1,204 → 310`: tokens in, and out. */
export function formatTokens({ promptTokens, completionTokens }: UsageFigures): string {
  if (promptTokens === null && completionTokens === null) return UNKNOWN;
  return `${formatMaybe(promptTokens)} → ${formatMaybe(completionTokens)}`;
}

export function formatMaybe(count: number | null): string {
  return count === null ? UNKNOWN : formatCount(count);
}

/** How fast the answer came once it had begun. */
export function formatAnswerSpeed({ completionTokens, firstTokenMs, totalMs }: UsageFigures): string {
  if (completionTokens === null || firstTokenMs === null || completionTokens < 2) return UNKNOWN;
  const answeringMs = totalMs - firstTokenMs;
  return answeringMs <= 0 ? UNKNOWN : formatSpeed((1_000 * (completionTokens - 1)) / answeringMs);
}
