import { z } from 'zod';
import { CAPABILITIES, STAGES, SUPPORT } from '../../shared/capabilities.ts';
import { keys, list, nameText, oneOf, text, wholeNumber } from '../../shared/config-fields.ts';
import { day, prose, words } from './fields.ts';

/*
 * One model in a file of its own: models/PROVIDER/*.yaml. A file of the user's folder may give only what is different
 * from the shipped one, so nothing but the id has to be there; what a whole definition needs is asked when the two have
 * been laid together.
 */

const MAX_TOKENS = 1_000_000_000;
const tokens = () => wholeNumber(1, MAX_TOKENS, 200_000);

const texts = (what: string) =>
  list(prose(), `${what} between [ and ], or one a line with "- " before it`).optional();

const support = oneOf(SUPPORT).optional();

const capabilities = keys(
  // As many keys as there are capabilities, all of one kind, which `Object.fromEntries` cannot say.
  Object.fromEntries(CAPABILITIES.map((capability) => [capability, support])) as Record<
    (typeof CAPABILITIES)[number],
    typeof support
  >,
);

export const definitionSchema = keys({
  id: nameText().describe('What the provider calls the model.'),
  name: words(200, 'a name').optional().describe('What people call it. Without it, the id.'),
  aliases: list(nameText(), 'names between [ and ]').optional().describe('Other names it answers to.'),
  version: words(64, 'a version').optional().describe('Which version of its family it is.'),
  family: words(64, 'a family').optional().describe('What it descends from: gpt, claude, llama, …'),
  context: keys({
    in: tokens().optional().describe('Tokens that its context holds.'),
    out: tokens().optional().describe('Tokens that one answer can have at most.'),
  })
    .optional()
    .describe('How much it can read and write.'),
  knowledgeCutoff: text(
    /^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$/,
    'a month or a day',
    'it as 2026-04 or 2026-04-30',
  )
    .optional()
    .describe('Until when it knows about the world.'),
  stage: oneOf(STAGES).optional().describe('Where it is in its life. Without it, production.'),
  deprecation: keys({
    replacement: nameText().optional().describe('The id of the model to use instead.'),
    retirementDate: day().optional().describe('The first day on which it does not answer any more.'),
  })
    .optional()
    .describe('For deprecated and retired models.'),
  capabilities: capabilities.optional().describe('What it can do; what is not said is unknown.'),
  optimisation: keys({
    recommendedFor: texts('uses'),
    bestPractices: texts('practices'),
    tips: texts('tips'),
    pitfalls: texts('pitfalls'),
  })
    .optional()
    .describe('How to get the best out of it.'),
  pricingRef: nameText().optional().describe("The model's entry in pricing/PROVIDER.yaml."),
  documentation: z
    .url({ protocol: /^https$/, error: 'is not an address; write it as https://…' })
    .optional()
    .describe("The provider's page about it."),
  sources: list(words(500, 'a source'), 'addresses or packages with their version').optional(),
  lastVerified: day().optional().describe('The day on which the sources said so.'),
}).meta({ title: 'A model', description: 'What is known about one model of a provider.' });

export type Definition = z.output<typeof definitionSchema>;

export function definitionJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(definitionSchema, { io: 'input' });
}
