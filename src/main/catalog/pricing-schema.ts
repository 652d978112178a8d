import { z } from 'zod';
import { keys, list, nameText, says, text, wholeNumber } from '../../shared/config-fields.ts';
import { day, minuteOfDay, price, prose, words } from './fields.ts';

/*
 * The prices of one provider: pricing/PROVIDER.yaml, under each model every version of its price.
 */

const tokens = () => wholeNumber(0, Number.MAX_SAFE_INTEGER, 200_000);

const conditions = keys({
  context: keys({
    above: tokens().optional().describe('Prompts of more tokens than this.'),
    upTo: tokens().optional().describe('Prompts of at most so many tokens.'),
  }).optional(),
  time: keys({ from: minuteOfDay(), to: minuteOfDay() })
    .optional()
    .describe('A part of the day, in UTC; past midnight when `to` comes before `from`.'),
  region: list(
    text(/^[\w.-]{1,64}$/, 'a region', 'its name, such as eu'),
    'the names of regions between [ and ]',
  ).optional(),
  volume: keys({ above: tokens().describe('Tokens of the month so far.') }).optional(),
});

const version = keys({
  effectiveDate: day().describe('The first day on which it holds, in UTC.'),
  input: price(),
  output: price(),
  cachedInput: price().optional().describe('Without it, cached tokens cost as much as other input.'),
  cacheWrite: price().optional().describe('Without it, as much as other input.'),
  currency: z
    .literal('USD', { error: says('a currency that costs are counted in', 'USD, and the price in dollars') })
    .default('USD'),
  when: conditions.optional().describe('Holds only for requests that meet all of these.'),
  notes: prose().optional(),
  source: words(500, 'a source').optional().describe('Where the price was found.'),
});

export const pricingSchema = keys({
  models: z.record(
    nameText(),
    z
      .array(version, { error: says('a list of prices', 'one a line with "- " before it') })
      .min(1, { error: 'is empty; write at least one price' }),
    { error: says('a section', 'one model per name below it, indented') },
  ),
}).meta({ title: 'Prices', description: 'What the models of one provider cost, for a million tokens.' });

export type Pricing = z.output<typeof pricingSchema>;
export type PricingEntry = Pricing['models'][string][number];

export function pricingJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(pricingSchema, { io: 'input' });
}
