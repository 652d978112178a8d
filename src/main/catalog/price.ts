/*
 * Prices as integers: nano-dollars (10⁻⁹ dollars) for a million tokens, so that a price of up to nine decimals is exact.
 */

/** A price from a day on, for the requests that meet all its conditions. */
export interface PriceVersion {
  /** `openai/gpt-6-sol@2026-09-23`, with `#2` for the second entry of a day; the user's own begin with `user:`. */
  readonly id: string;
  /** In force from the beginning of this day, UTC. */
  readonly effectiveDate: string;
  readonly effectiveMs: number;
  /** Each in nano-dollars for a million tokens. */
  readonly input: number;
  readonly output: number;
  /** `null`: cached tokens cost as much as other input. */
  readonly cachedInput: number | null;
  /** `null`: writing tokens into the cache costs as much as other input. */
  readonly cacheWrite: number | null;
  readonly currency: 'USD';
  readonly conditions: PriceConditions;
  readonly notes: string | null;
  readonly source: string | null;
}

/** All that is not `null` must hold. */
export interface PriceConditions {
  /** Tokens of the prompt, cached ones included: more than `above`, at most `upTo`. */
  readonly context: { readonly above: number; readonly upTo: number | null } | null;
  /** Minutes of the day, UTC: from `from` on, until before `to`; past midnight when `to` is the smaller one. */
  readonly time: { readonly from: number; readonly to: number } | null;
  /** Any one of these. Does not hold for a request without a region. */
  readonly region: readonly string[] | null;
  /** Tokens used in the month so far: more than this. Does not hold where they are not known. */
  readonly monthVolumeAbove: number | null;
}

/** What a price depends on besides the moment. */
export interface PricedRequest {
  readonly promptTokens: number;
  readonly region?: string | null | undefined;
  /** Tokens that the model was asked for in the current month before this request. */
  readonly monthVolumeTokens?: number | null | undefined;
}

/** Tokens of one request. Each count is a whole number, zero or more. */
export interface TokenUsage extends PricedRequest {
  /** All of the prompt: what was cached and what went into the cache are parts of it. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  /** All that was written: reasoning is a part of it. */
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/**
 * The price at a moment: of those in force the last whose conditions all hold.
 * @param versions by effective date, the earliest first
 * @returns `null` where no price is known
 */
export function priceAt(
  versions: readonly PriceVersion[],
  atMs: number,
  request: PricedRequest,
): PriceVersion | null {
  return (
    versions.findLast(
      ({ effectiveMs, conditions }) => effectiveMs <= atMs && holds(conditions, atMs, request),
    ) ?? null
  );
}

/**
 * What a request costs, in nano-dollars, rounded once to the nearest, a half up.
 * @throws RangeError above 9,007,199 dollars, which a number cannot count in nano-dollars
 */
export function costOf(price: PriceVersion, usage: TokenUsage): number {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens } = usage;
  // Providers have been seen to count cached tokens that are not in the prompt: nothing is charged twice, nor negative.
  const plainTokens = Math.max(0, promptTokens - cachedTokens - cacheWriteTokens);
  const millionths =
    times(plainTokens, price.input) +
    times(cachedTokens, price.cachedInput ?? price.input) +
    times(cacheWriteTokens, price.cacheWrite ?? price.input) +
    times(completionTokens, price.output);
  const nanoDollars = Number((millionths + MILLION / 2n) / MILLION);
  if (!Number.isSafeInteger(nanoDollars))
    throw new RangeError(`a request cannot cost ${nanoDollars / 1e9} dollars`);
  return nanoDollars;
}

const MILLION = 1_000_000n;

/** In big integers: a million tokens at ten dollars is already more than a number can count. */
function times(tokens: number, nanoDollarsPerMillion: number): bigint {
  return BigInt(tokens) * BigInt(nanoDollarsPerMillion);
}

const DAY_MINUTES = 24 * 60;

function holds(conditions: PriceConditions, atMs: number, request: PricedRequest): boolean {
  const { context, time, region, monthVolumeAbove } = conditions;
  if (context !== null) {
    const { promptTokens } = request;
    if (promptTokens <= context.above || (context.upTo !== null && promptTokens > context.upTo)) return false;
  }
  if (time !== null) {
    const minute = Math.floor(atMs / 60_000) % DAY_MINUTES;
    const within =
      time.from < time.to ? minute >= time.from && minute < time.to : minute >= time.from || minute < time.to;
    if (!within) return false;
  }
  if (region !== null && !region.includes(request.region ?? '')) return false;
  return monthVolumeAbove === null || (request.monthVolumeTokens ?? 0) > monthVolumeAbove;
}
