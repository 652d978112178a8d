import { readFileSync } from 'node:fs';
import { findProvider } from '@pydantic/genai-prices';
import { z } from 'zod';
import type { PriceEntry } from './price-entry.ts';

/*
 * The package that prices are taken from, in our own terms. It says from when on a price holds only where it has seen a
 * price change; any other is known to hold on the day on which the package was published.
 */

const SEED = { name: '@pydantic/genai-prices', version: '0.1.8', published: '2026-09-23' };

export const SEED_SOURCE = `${SEED.name}@${SEED.version}`;
export const SEED_DATE = SEED.published;

export interface SeedModel {
  readonly id: string;
  readonly name: string | null;
  readonly contextTokens: number | null;
  readonly deprecated: boolean;
  /** Every price it knows, by date; `null` when the model is not priced by tokens. */
  readonly prices: readonly PriceEntry[] | null;
}

const amount = z.union([
  z.number().nonnegative(),
  z.object({
    base: z.number().nonnegative(),
    tiers: z.array(z.object({ start: z.int().nonnegative(), price: z.number().nonnegative() })),
  }),
]);
type Amount = z.output<typeof amount>;

const amounts = z.record(z.string(), amount);
type Amounts = z.output<typeof amounts>;

const seedModel = z.object({
  id: z.string(),
  name: z.string().optional(),
  context_window: z.int().positive().optional(),
  deprecated: z.boolean().optional(),
  prices: z.union([
    z.array(
      z.object({
        // A price that depends on the time of the day is refused here until a model that we ship has one.
        constraint: z.strictObject({ type: z.literal('start_date'), start_date: z.iso.date() }).optional(),
        prices: amounts,
      }),
    ),
    amounts,
  ]),
});

/**
 * What the package knows of a provider's models.
 * @throws Error when another version of it is installed than the one whose date is written here
 */
export function seedModels(provider: string): readonly SeedModel[] {
  const installed = installedVersion();
  if (installed !== SEED.version) {
    throw new Error(
      `${SEED.name} ${installed} is installed; write its version and the day it was published into scripts/catalog/seed.ts`,
    );
  }
  const models: unknown = findProvider({ providerId: provider })?.models ?? [];
  return z
    .array(seedModel)
    .parse(models)
    .map(({ id, name, context_window, deprecated, prices }) => ({
      id,
      name: name ?? null,
      contextTokens: context_window ?? null,
      deprecated: deprecated ?? false,
      prices: datedPrices(Array.isArray(prices) ? prices : [{ prices }]),
    }));
}

function installedVersion(): string {
  const entry = import.meta.resolve('@pydantic/genai-prices');
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', entry), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

function datedPrices(
  versions: readonly {
    readonly constraint?: { readonly start_date: string } | undefined;
    readonly prices: Amounts;
  }[],
): readonly PriceEntry[] | null {
  const isChanged = versions.some(({ constraint }) => constraint && constraint.start_date <= SEED_DATE);
  const dated: PriceEntry[] = [];
  for (const { constraint, prices } of versions) {
    // What held before a price changed has no date: such history is written by hand.
    if (!constraint && isChanged) continue;
    const entries = priceEntries(constraint?.start_date ?? SEED_DATE, prices);
    if (entries === null) return null;
    dated.push(...entries);
  }
  return dated;
}

function priceEntries(effectiveDate: string, prices: Amounts): readonly PriceEntry[] | null {
  const isFree = Object.keys(prices).length === 0;
  if (!isFree && prices.input_mtok === undefined) return null;
  const starts = new Set(
    Object.values(prices).flatMap((price) =>
      typeof price === 'number' ? [] : price.tiers.map(({ start }) => start),
    ),
  );
  return [null, ...[...starts].sort((a, b) => a - b)].map((above) => {
    const at = (key: string): string | undefined => {
      const price = prices[key];
      return price === undefined ? undefined : decimal(amountAt(price, above));
    };
    const input = at('input_mtok') ?? '0';
    const cachedInput = at('cache_read_mtok');
    const written = at('cache_write_mtok');
    // Of Gemini models OpenRouter names what storing costs on top of reading: that is no price of the tokens.
    const cacheWrite = Number(written) < Number(input) ? undefined : written;
    const notes = uncounted(prices);
    return {
      effectiveDate,
      input,
      output: at('output_mtok') ?? '0',
      ...(cachedInput === undefined ? {} : { cachedInput }),
      ...(cacheWrite === undefined ? {} : { cacheWrite }),
      currency: 'USD',
      ...(above === null ? {} : { when: { context: { above } } }),
      ...(notes === null || above !== null ? {} : { notes }),
      source: SEED_SOURCE,
    };
  });
}

function amountAt(price: Amount, above: number | null): number {
  if (typeof price === 'number') return price;
  const tier = price.tiers.findLast(({ start }) => above !== null && start <= above);
  return tier?.price ?? price.base;
}

/** A price as people write it: at most nine decimals, none that say nothing. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}

/** What the package prices and a cost leaves out, so that nobody takes the bill for the whole of it. */
const UNCOUNTED: Readonly<Record<string, string>> = {
  input_audio_mtok: 'audio input',
  cache_audio_read_mtok: 'cached audio',
  output_audio_mtok: 'audio output',
  input_image_mtok: 'image input',
  cache_image_read_mtok: 'cached images',
  output_image_mtok: 'image output',
  input_video_mtok: 'video input',
  output_video_mtok: 'video output',
  cache_write_1h_mtok: 'cache writes kept for an hour',
  output_reasoning_mtok: 'reasoning',
  web_searches_kcount: 'a thousand web searches',
  storage_searches_kcount: 'a thousand file searches',
};

function uncounted(prices: Amounts): string | null {
  const parts = Object.entries(UNCOUNTED).flatMap(([key, what]) => {
    const price = prices[key];
    return price === undefined ? [] : [`${what} ${decimal(amountAt(price, null))}`];
  });
  return parts.length === 0 ? null : `Priced apart and not counted here: ${parts.join(', ')}.`;
}
