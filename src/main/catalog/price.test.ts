import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readYaml } from '../yaml/yaml-source.ts';
import type { ParsedFolder } from './parsed-files.ts';
import { costOf, type PriceVersion, priceAt, type TokenUsage } from './price.ts';
import { PriceBook } from './price-book.ts';
import { pricingSchema } from './pricing-schema.ts';

const DAY_MS = 86_400_000;
const EMPTY: ParsedFolder = { definitions: [], pricing: [], withoutPrices: new Set() };

/** A price entry as people write it. */
interface RawEntry {
  effectiveDate: string;
  input: string;
  output: string;
  cachedInput?: string;
  cacheWrite?: string;
  when?: {
    context?: { above?: number; upTo?: number };
    time?: { from: string; to: string };
    region?: string[];
    volume?: { above: number };
  };
}

/** Through YAML and the schema, as prices come from a file. */
function folderOf(entries: readonly RawEntry[]): ParsedFolder {
  const read = readYaml('acme.yaml', stringify({ models: { m: entries } }), null);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const value = pricingSchema.parse(read.source.value);
  return { ...EMPTY, pricing: [{ file: 'acme.yaml', provider: 'acme', value, source: read.source }] };
}

function versionsOf(shipped: readonly RawEntry[], own: readonly RawEntry[] = []): readonly PriceVersion[] {
  const book = new PriceBook(folderOf(shipped), own.length === 0 ? EMPTY : folderOf(own));
  return book.versionsOf('acme', 'm');
}

const usage = (tokens: Partial<TokenUsage>): TokenUsage => ({
  promptTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  ...tokens,
});

/** The only price there is, for any request. */
function onlyPrice(entry: Omit<RawEntry, 'effectiveDate'>): PriceVersion {
  const [version] = versionsOf([{ effectiveDate: '2026-01-01', ...entry }]);
  if (!version) throw new Error('there is no price');
  return version;
}

test('the bill of a long conversation, worked out by hand', () => {
  const price = onlyPrice({ input: '3', output: '15', cachedInput: '0.30', cacheWrite: '3.75' });
  // 1,000 plain + 180,000 cached + 20,000 written + 2,000 out: 0.003 + 0.054 + 0.075 + 0.030 dollars
  const asked = usage({
    promptTokens: 201_000,
    cachedTokens: 180_000,
    cacheWriteTokens: 20_000,
    completionTokens: 2000,
    reasoningTokens: 1500,
  });
  expect(costOf(price, asked)).toBe(162_000_000);
});

test('without a price of their own, cached and written tokens cost as much as other input', () => {
  const price = onlyPrice({ input: '2', output: '8' });
  const cost = costOf(price, usage({ promptTokens: 1000, cachedTokens: 400, cacheWriteTokens: 100 }));
  expect(cost).toBe(2_000_000);
});

test('a free model costs nothing, which is a known price', () => {
  expect(costOf(onlyPrice({ input: '0', output: '0' }), usage({ promptTokens: 5000 }))).toBe(0);
});

test('cached tokens that a provider counts beyond the prompt are charged, and nothing negative', () => {
  const price = onlyPrice({ input: '10', output: '10', cachedInput: '1' });
  expect(costOf(price, usage({ promptTokens: 100, cachedTokens: 300 }))).toBe(300_000);
});

test('a half of a nano-dollar is rounded up, once', () => {
  const price = onlyPrice({ input: '0.000000001', output: '0.0005' });
  expect(costOf(price, usage({ completionTokens: 1 }))).toBe(1);
  expect(costOf(price, usage({ promptTokens: 499_999 }))).toBe(0);
  expect(costOf(price, usage({ promptTokens: 500_000 }))).toBe(1);
});

test('a cost beyond what a number counts is refused, not made up', () => {
  const price = onlyPrice({ input: '99999', output: '0' });
  expect(() => costOf(price, usage({ promptTokens: 1e12 }))).toThrow(RangeError);
});

const decimal = fc
  .tuple(fc.nat(9999), fc.option(fc.stringMatching(/^\d{1,9}$/), { nil: null }))
  .map(([whole, fraction]) => (fraction === null ? `${whole}` : `${whole}.${fraction}`));
const count = fc.oneof(fc.nat(1000), fc.nat(2_000_000), fc.nat(50_000_000));

/** Dollars with all their digits: an exact fraction, by another way than the code's. */
function exactDollars(parts: readonly (readonly [tokens: number, price: string])[]): {
  numerator: bigint;
  denominator: bigint;
} {
  let numerator = 0n;
  let denominator = 1n;
  for (const [tokens, price] of parts) {
    const [whole = '0', fraction = ''] = price.split('.');
    const scale = 10n ** BigInt(fraction.length) * 1_000_000n;
    const amount = BigInt(whole + fraction) * BigInt(tokens);
    numerator = numerator * scale + amount * denominator;
    denominator *= scale;
  }
  return { numerator, denominator };
}

test('a cost is exact to the nearest nano-dollar, a hundred thousandth of what is promised', () => {
  fc.assert(
    fc.property(
      decimal,
      decimal,
      fc.option(decimal, { nil: null }),
      fc.option(decimal, { nil: null }),
      fc.record({ plain: count, cached: count, written: count, out: count }),
      (input, output, cachedInput, cacheWrite, tokens) => {
        const price = onlyPrice({
          input,
          output,
          ...(cachedInput === null ? {} : { cachedInput }),
          ...(cacheWrite === null ? {} : { cacheWrite }),
        });
        const cost = costOf(
          price,
          usage({
            promptTokens: tokens.plain + tokens.cached + tokens.written,
            cachedTokens: tokens.cached,
            cacheWriteTokens: tokens.written,
            completionTokens: tokens.out,
          }),
        );
        const { numerator, denominator } = exactDollars([
          [tokens.plain, input],
          [tokens.cached, cachedInput ?? input],
          [tokens.written, cacheWrite ?? input],
          [tokens.out, output],
        ]);
        // |cost − exact| ≤ half a nano-dollar, in whole numbers.
        const offBy = 2n * (BigInt(cost) * denominator - numerator * 1_000_000_000n);
        expect(offBy <= denominator && offBy >= -denominator).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});

const date = fc.integer({ min: 0, max: 40 }).map((days) => new Date(Date.UTC(2026, 0, 1) + days * DAY_MS));
const dayText = date.map((when) => when.toISOString().slice(0, 10));
const clock = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });

const rawEntry: fc.Arbitrary<RawEntry> = fc
  .record({
    effectiveDate: dayText,
    input: fc.nat(1000).map(String),
    context: maybe(fc.record({ above: maybe(fc.nat(8)), upTo: maybe(fc.nat(8)) })),
    time: maybe(fc.record({ from: clock, to: clock })),
    region: maybe(fc.subarray(['us', 'eu', 'asia'])),
    volume: maybe(fc.record({ above: fc.nat(8) })),
  })
  // Without what is not said, as it would be missing in a file.
  .map(({ effectiveDate, input, ...when }) =>
    JSON.parse(JSON.stringify({ effectiveDate, input, output: '0', when })),
  );

/** The rule as the guide says it, on what people wrote. */
function isMet(
  { effectiveDate, when = {} }: RawEntry,
  at: Date,
  request: { promptTokens: number; region: string | null; monthVolumeTokens: number | null },
): boolean {
  if (effectiveDate > at.toISOString().slice(0, 10)) return false;
  const { context = {}, time, region, volume } = when;
  const now = at.toISOString().slice(11, 16);
  const overMidnight = time !== undefined && time.from >= time.to;
  return (
    (context.above === undefined || request.promptTokens > context.above) &&
    (context.upTo === undefined || request.promptTokens <= context.upTo) &&
    (time === undefined ||
      (overMidnight ? now >= time.from || now < time.to : now >= time.from && now < time.to)) &&
    (region === undefined || region.some((name) => name === request.region)) &&
    (volume === undefined || (request.monthVolumeTokens ?? 0) > volume.above)
  );
}

test('of the versions in force, the last whose conditions all hold is taken; of the user’s and ours, theirs', () => {
  const found = { some: 0, none: 0, conditional: 0 };
  fc.assert(
    fc.property(
      fc.array(rawEntry, { minLength: 1, maxLength: 6 }),
      fc.array(rawEntry, { maxLength: 3 }),
      fc.tuple(date, fc.nat(DAY_MS - 1)).map(([day, ms]) => new Date(day.getTime() + ms)),
      fc.record({
        promptTokens: fc.nat(10),
        region: fc.constantFrom(null, 'us', 'eu'),
        monthVolumeTokens: fc.option(fc.nat(10), { nil: null }),
      }),
      (shipped, own, at, request) => {
        const written = [
          ...shipped.map((entry) => ({ entry, own: 0 })),
          ...own.map((entry) => ({ entry, own: 1 })),
        ];
        const expected = written
          .map((candidate, index) => ({ ...candidate, index }))
          .filter(({ entry }) => isMet(entry, at, request))
          .sort((a, b) => a.entry.effectiveDate.localeCompare(b.entry.effectiveDate) || a.index - b.index)
          .at(-1);
        const version = priceAt(versionsOf(shipped, own), at.getTime(), request);
        expect(version?.input ?? null).toBe(expected ? Number(expected.entry.input) * 1e9 : null);
        expect(version?.id.startsWith('user:') ?? false).toBe(expected?.own === 1);
        found[expected ? 'some' : 'none']++;
        if (Object.keys(expected?.entry.when ?? {}).length > 0) found.conditional++;
      },
    ),
    { numRuns: 1000 },
  );
  // The property says nothing unless all of this came up.
  expect(Math.min(found.some, found.none, found.conditional)).toBeGreaterThan(50);
});

test('a version keeps its id when others are added', () => {
  const price = (effectiveDate: string): RawEntry => ({ effectiveDate, input: '1', output: '1' });
  const before = versionsOf([price('2026-01-01'), price('2026-01-01')]).map(({ id }) => id);
  expect(before).toEqual(['acme/m@2026-01-01', 'acme/m@2026-01-01#2']);
  const after = versionsOf(
    [price('2025-06-01'), price('2026-01-01'), price('2026-01-01'), price('2026-03-01')],
    [price('2026-01-01')],
  ).map(({ id }) => id);
  expect(after).toEqual([
    'acme/m@2025-06-01',
    'acme/m@2026-01-01',
    'acme/m@2026-01-01#2',
    'user:acme/m@2026-01-01',
    'acme/m@2026-03-01',
  ]);
});
