import { z } from 'zod';
import {
  duration,
  keys,
  list,
  nameText,
  numberBetween,
  oneOf,
  says,
  saysWithoutValue,
  text,
  trueOrFalse,
  wholeNumber,
} from './config-fields.ts';
import { MOCK_ERROR_KINDS, PROVIDER_KINDS } from './provider-kinds.ts';

/*
 * `providers` of models.yaml: the services that run models elsewhere, each under its name.
 */

/** No `/`: in `openai/gpt-4.1` the first one ends the provider. `local` is what usage calls this machine. */
const PROVIDER_NAME = /^(?!(?:auto|local)$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PROVIDER_NAME_RULE = 'up to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit';

export function providerName() {
  return text(PROVIDER_NAME, 'a usable name for a provider', PROVIDER_NAME_RULE);
}

const keyError = saysWithoutValue(
  'a usable key',
  'up to 512 printable ASCII characters without spaces, best read from the environment',
);
const limitsFields = keys({
  requestsPerMinute: wholeNumber(1, 1_000_000, 500).optional(),
  tokensPerMinute: wholeNumber(1, 1_000_000_000, 100_000).optional(),
});

const common = {
  aliases: list(providerName(), 'names between [ and ]')
    .default([])
    .describe('Other names: with gpt for openai, gpt/gpt-4.1 is openai/gpt-4.1.'),
  timeout: duration('100ms', '1h', '120s')
    .prefault('120s')
    .describe('How long to wait for the first part of an answer, and between any two.'),
  limits: limitsFields
    .nullish()
    .transform((limits) => limits ?? {})
    .describe('What the provider allows; requests over it wait, or are refused when that would take long.'),
};

// Without its value: people put keys into addresses.
const addressError = saysWithoutValue(
  'the address of an API',
  'one such as http://mac-studio.local:8000/v1, without a user or a password',
);
const baseUrl = z
  .string({ error: addressError })
  .regex(/^https?:\/\/[^\s@]{1,2000}$/, { error: addressError });

const reached = {
  ...common,
  apiKey: z
    .string({ error: keyError })
    .regex(/^[!-~]{0,512}$/, { error: keyError })
    .optional()
    .describe('Its key, read from the environment. Better still it is set in the interface, and not here.'),
  discover: trueOrFalse().default(false).describe('Whether to ask the provider which models it has.'),
};

const hosted = z.strictObject({
  type: oneOf(['openai', 'anthropic', 'google', 'openrouter', 'groq']).describe('Whose API it speaks.'),
  ...reached,
  baseUrl: baseUrl.optional().describe('Instead of its usual address.'),
});

const compatible = z.strictObject({
  type: z.literal('openai-compatible').describe('vLLM, llama.cpp, LM Studio, another Roundhouse, …'),
  ...reached,
  baseUrl: baseUrl.describe('Where its API begins, as a rule with /v1 at the end; only ever read from here.'),
});

const answer = z.string({ error: says('text', 'the answer as text') }).max(100_000);

const mock = z.strictObject({
  type: z.literal('mock').describe('Answers by itself, without a model: for trying things out.'),
  ...common,
  latency: duration('0s', '1h', '20ms').prefault('20ms').describe('Before the first part of an answer.'),
  tokensPerSecond: numberBetween(0.001, 1_000_000, 200).default(200).describe('How fast it answers.'),
  errorRate: numberBetween(0, 1, 0.1).default(0).describe('Share of requests that fail.'),
  errorKinds: list(oneOf(MOCK_ERROR_KINDS), 'kinds of errors between [ and ]')
    .min(1, { error: 'is empty; name at least one kind, or take the key out' })
    .default(['server-error'])
    .describe('In which ways they fail, in turn.'),
  script: list(
    z.union(
      [
        answer.transform((text) => ({ when: null, answer: text })),
        keys({
          when: z
            .string({ error: says('text', 'part of a message') })
            .optional()
            .describe('Part of the last message; without it, any.'),
          answer,
        }).transform((entry) => ({ when: entry.when ?? null, answer: entry.answer })),
      ],
      { error: says('an answer', 'it as text, or a section with when and answer') },
    ),
    'answers between [ and ]',
  )
    .default([])
    .describe('What it answers: the first entry that fits. Without one it repeats what it was asked.'),
  cutAfterTokens: wholeNumber(0, 1_000_000, 10)
    .optional()
    .describe('Break every answer off after so many tokens.'),
});

export const provider = z.discriminatedUnion('type', [hosted, compatible, mock], {
  error: (issue) => {
    if (issue.code !== 'invalid_union') return says('a section', 'its keys below it, indented')(issue);
    const kinds = PROVIDER_KINDS.join(', ');
    const { type } = Object(issue.input) as { type?: unknown }; // An object: anything else has another code.
    return says('a kind of provider', `one of ${kinds}`)({ input: type });
  },
});

export const budget = keys({
  scope: z
    .union(
      [
        z.literal('all'),
        keys({ provider: providerName() }),
        keys({ model: nameText() }),
        keys({ user: text(/^[^\p{Cc}]{1,200}$/u, 'a user', 'the name as requests give it') }),
      ],
      { error: says('a scope', 'all, or one of provider, model and user with a name') },
    )
    .describe('Whose costs count: all, or those of one provider, model or user.'),
  limit: numberBetween(0, 1_000_000, 50).describe('In US dollars.'),
  per: oneOf(['day', 'week', 'month']).describe('After which time it begins again.'),
  alertAt: list(
    text(/^(\d{1,2}(\.\d+)?|100)%$/, 'a share', 'one such as 90%').transform(
      (percent) => Number.parseFloat(percent) / 100,
    ),
    'shares between [ and ]',
  )
    .default([])
    .describe('Shares of the limit at which to say so.'),
  action: oneOf(['warn', 'block']).default('warn').describe('What becomes of requests over the limit.'),
});
