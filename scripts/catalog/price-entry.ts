import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { pricingSchema } from '../../src/main/catalog/pricing-schema.ts';

/** A price as a pricing file has it. */
export type PriceEntry = z.input<typeof pricingSchema>['models'][string][number];

export interface Merged {
  /** What a file should hold: what it held, and what was new. */
  readonly entries: readonly PriceEntry[];
  /** Dates of the prices that were new. */
  readonly added: readonly string[];
  /** Dates on which the file says otherwise than the seed: the file is right. */
  readonly disputed: readonly string[];
}

/**
 * Adds to the prices of a model those of the seed that were not known: one that is in force already is not repeated, and
 * none that the file holds is changed or taken out. The same again adds nothing.
 */
export function mergePrices(known: readonly PriceEntry[], seed: readonly PriceEntry[]): Merged {
  let entries = [...known];
  const added: string[] = [];
  const disputed: string[] = [];
  for (const date of new Set(seed.map(({ effectiveDate }) => effectiveDate))) {
    const news = seed.filter(({ effectiveDate }) => effectiveDate === date);
    const inForce = latest(entries, date);
    if (isDeepStrictEqual(inForce.map(billed), news.map(billed))) continue;
    if (inForce[0]?.effectiveDate === date) {
      disputed.push(date);
      continue;
    }
    added.push(date);
    // Behind all that is not later, so that a file in order stays so.
    const index = entries.findIndex(({ effectiveDate }) => effectiveDate > date);
    entries = index < 0 ? [...entries, ...news] : entries.toSpliced(index, 0, ...news);
  }
  return { entries, added, disputed };
}

/** All entries of the last day up to `date`. */
function latest(entries: readonly PriceEntry[], date: string): readonly PriceEntry[] {
  const days = entries.map(({ effectiveDate }) => effectiveDate).filter((day) => day <= date);
  const last = days.sort().at(-1);
  return entries.filter(({ effectiveDate }) => effectiveDate === last);
}

/** What a bill depends on. */
function billed({ input, output, cachedInput, cacheWrite, when }: PriceEntry): unknown {
  const amount = (price: PriceEntry['input'] | undefined) => Number(price ?? input);
  return [Number(input), Number(output), amount(cachedInput), amount(cacheWrite), when ?? {}];
}
