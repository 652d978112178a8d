import { z } from 'zod';
import { CAPABILITIES, type Capability, STAGES } from './capabilities.ts';
import {
  duration,
  durationOrNever,
  filePath,
  keys,
  list,
  nameText,
  numberBetween,
  oneOf,
  says,
  section,
  text,
  trueOrFalse,
  wholeNumber,
  wordOrWholeNumber,
} from './config-fields.ts';
import { providerName } from './config-providers.ts';
import { CACHE_TYPES, MODEL_LIMITS, type SizeLimit } from './model-limits.ts';

/*
 * `models` of models.yaml, each under its id, and the `defaults` of how they are loaded.
 */

const size = ({ min, max, example }: SizeLimit) => wholeNumber(min, max, example);

/** How a model is loaded and kept: in `defaults` for all, in a model for that one. */
const loading = {
  contextSize: size(MODEL_LIMITS.contextSize).describe('Tokens that one conversation can hold.'),
  parallel: size(MODEL_LIMITS.parallel).describe('Requests that one model answers at once.'),
  batchSize: size(MODEL_LIMITS.batchSize).describe(
    'Tokens read in one step; more is faster and takes more memory.',
  ),
  // Timers end at 24 days; a week is already as good as never.
  idleUnload: durationOrNever('1ms', '7d', '10m').describe(
    'Unload a model that nobody asked for this long; or never.',
  ),
  flashAttention: z
    .union([z.literal('auto'), z.boolean()], { error: says('auto, true or false', 'auto, true or false') })
    .describe('A faster attention that takes less memory; auto uses it where the model allows.'),
  cacheType: oneOf(CACHE_TYPES).describe('Precision of the context in memory; q8_0 halves it.'),
  threads: wordOrWholeNumber('auto', 1, 256).describe(
    'CPU threads of one engine; auto is a share of the cores.',
  ),
  gpuLayers: wordOrWholeNumber('max', 0, 10_000).describe(
    'Layers that run on the GPU; 0 uses the CPU alone.',
  ),
};

export const defaults = keys({
  contextSize: loading.contextSize.default(8192),
  parallel: loading.parallel.default(2),
  batchSize: loading.batchSize.default(512),
  idleUnload: loading.idleUnload.prefault('10m'),
  flashAttention: loading.flashAttention.default('auto'),
  cacheType: loading.cacheType.default('f16'),
  threads: loading.threads.default('auto'),
  gpuLayers: loading.gpuLayers.default('max'),
});

const sampling = keys({
  temperature: numberBetween(0, 2, 0.7)
    .optional()
    .describe('0 always takes the likeliest word; higher is freer.'),
  topP: numberBetween(0, 1, 0.95)
    .optional()
    .describe('Choose among the likeliest tokens that together make up this share.'),
  topK: wholeNumber(0, 1_000_000, 40)
    .optional()
    .describe('Choose among this many likeliest tokens; 0 among all.'),
  minP: numberBetween(0, 1, 0.05)
    .optional()
    .describe('Leave out tokens less likely than this share of the likeliest.'),
  repeatPenalty: numberBetween(0, 10, 1.1).optional().describe('Above 1: avoid what was said already.'),
});

const latency = keys({
  firstToken: duration('1ms', '1h', '200ms').optional().describe('From a request to its first token.'),
  tokensPerSecond: numberBetween(0.1, 100_000, 30).optional().describe('After that.'),
});

const notes = list(
  z.string({ error: says('text', 'a note as text') }).max(2000),
  'notes between [ and ]',
).default([]);
const optimization = keys({
  recommendedFor: notes,
  bestPractices: notes,
  tips: notes,
  pitfalls: notes,
});

/** As a list of those it has, or each with whether it has it. */
const capabilities = z.union(
  [
    list(
      z.enum(CAPABILITIES, { error: says('a capability', `one of ${CAPABILITIES.join(', ')}`) }),
      'capabilities between [ and ]',
    ).transform((names): CapabilityFlags => Object.fromEntries(names.map((name) => [name, true]))),
    keys(
      // As many keys as there are capabilities, all of one kind, which `Object.fromEntries` cannot say.
      Object.fromEntries(CAPABILITIES.map((name) => [name, trueOrFalse().optional()])) as Record<
        Capability,
        z.ZodOptional<z.ZodBoolean>
      >,
    ),
  ],
  { error: says('a list', 'capabilities between [ and ], or each with true or false') },
);
type CapabilityFlags = Partial<Record<Capability, boolean | undefined>>;

/** What can be said of a model wherever it runs. */
const described = {
  name: text(/^[^\p{Cc}\p{Cs}]{1,200}$/u, 'a name', 'up to 200 printable characters')
    .optional()
    .describe('What people call it. Without it, the id.'),
  aliases: list(nameText(), 'names between [ and ]').default([]).describe('Other names it answers to.'),
  stage: oneOf(STAGES)
    .optional()
    .describe('Where it is in its life; deprecated models answer with a warning, retired ones not at all.'),
  replacement: text(/^.{1,140}$/u, 'a name', 'the model to use instead')
    .optional()
    .describe('The model to use instead of one that is deprecated or retired.'),
  latency: section(latency).describe('Targets that it is held against.'),
  capabilities: capabilities.default({}).describe('What it can do, over what was found out about it.'),
  optimization: section(optimization).describe('Notes on how to use it well.'),
  systemPrompt: z
    .string({ error: says('text', 'the prompt as text') })
    .max(100_000, { error: 'is longer than 100000 characters; shorten it' })
    .optional()
    .describe('Put before the messages of a chat that has no system message.'),
  sampling: section(sampling).describe('How answers are chosen where a request does not say.'),
};

const localModel = keys({
  file: filePath().describe(
    'The GGUF file; of a split one, the first part. "builtin:demo" is the shipped demo model.',
  ),
  ...described,
  pinned: trueOrFalse().default(false).describe('Load at start, never push out, never unload when idle.'),
  preload: trueOrFalse().default(false).describe('Load at start.'),
  contextSize: loading.contextSize.optional(),
  parallel: loading.parallel.optional(),
  batchSize: loading.batchSize.optional(),
  idleUnload: loading.idleUnload.optional(),
  flashAttention: loading.flashAttention.optional(),
  cacheType: loading.cacheType.optional(),
  threads: loading.threads.optional(),
  gpuLayers: loading.gpuLayers.optional(),
  chatTemplate: filePath()
    .optional()
    .describe("A Jinja file to use instead of the model's own chat template."),
});

const remoteModel = keys({
  provider: providerName().describe('One of the providers, by its name or an alias.'),
  remoteId: text(/^[^\p{Cc}\s]{1,200}$/u, 'the id of a model', 'what the provider calls it').describe(
    'What the provider calls the model.',
  ),
  ...described,
  contextSize: wholeNumber(64, 100_000_000, 128_000)
    .optional()
    .describe('Tokens that one conversation can hold, where that is not known.'),
});

/** The file of the local one first: what says neither is told that it lacks a file. */
export const model = z.union([localModel, remoteModel], {
  error: says('a section', 'its keys below it, indented'),
});
