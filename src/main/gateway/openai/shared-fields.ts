import { z } from 'zod';
import type { Sampling } from '../../../shared/generation.ts';
import { refuse } from '../request-errors.ts';

const MAX_CHOICES = 16;
/** Each is looked for at every token. */
const MAX_STOPS = 1000;
const MAX_USER_CHARS = 512;
const MAX_CONTENT_TYPE_CHARS = 128;

/** An optional parameter: left out and `null` mean the same. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? null);
}

/**
 * A number of tokens. More than fits is the engine's to cap, so only what is no count at all is refused; whole numbers
 * too large to be exact (2^53 and above) stand for "as many as fit".
 */
export function tokenCount(minimum: 0 | 1) {
  return z
    .number()
    .min(minimum)
    .transform((value, context) => {
      if (Number.isInteger(value)) return Math.min(value, Number.MAX_SAFE_INTEGER);
      return refuse(context, [], `The number of tokens must be a whole number, not ${value}.`);
    });
}

const stopSchema = z
  .unknown()
  .optional()
  .transform((value, context): string[] => {
    if (value === undefined || value === null) return [];
    const texts = Array.isArray(value) ? value : [value];
    if (texts.length > MAX_STOPS) {
      return refuse(context, [], `"stop" must hold at most ${MAX_STOPS} strings, not ${texts.length}.`);
    }
    const wrong = texts.findIndex((text) => typeof text !== 'string');
    if (wrong !== -1) {
      return refuse(
        context,
        Array.isArray(value) ? [wrong] : [],
        '"stop" must be a string or a list of strings.',
      );
    }
    return texts.filter((text) => text !== '');
  });

/** Token id → bias. Stops at the first wrong entry, as there may be very many. */
const logitBiasSchema = z
  .unknown()
  .optional()
  .transform((value, context): Record<string, number> | null => {
    if (value === undefined || value === null) return null;
    if (typeof value !== 'object' || Array.isArray(value)) {
      return refuse(context, [], '"logit_bias" must be an object of token ids and numbers.');
    }
    const biases: Record<string, number> = {};
    for (const [key, bias] of Object.entries(value)) {
      if (!/^\d{1,10}$/.test(key)) {
        const shown = JSON.stringify(key.slice(0, 60));
        return refuse(
          context,
          [key.slice(0, 60)],
          `The keys of "logit_bias" must be token ids, not ${shown}.`,
        );
      }
      // Written so that what is not a number fails too.
      if (!(typeof bias === 'number' && bias >= -100 && bias <= 100)) {
        return refuse(context, [key], 'A bias must be a number from -100 to 100.');
      }
      biases[key] = bias;
    }
    return Object.keys(biases).length === 0 ? null : biases;
  });

/** What every request may say of whom it is for and what it is about. */
export const originFields = {
  user: optional(z.string().max(MAX_USER_CHARS)),
  safety_identifier: optional(z.string().max(MAX_USER_CHARS)),
  metadata: z
    .looseObject({
      user_id: optional(z.string().max(MAX_USER_CHARS)),
      content_type: optional(z.string().max(MAX_CONTENT_TYPE_CHARS)),
    })
    .nullish(),
};

/** What chat and legacy completions have in common. */
export const sharedFields = {
  ...originFields,
  /** `null` and the empty string mean `auto`. */
  model: z
    .string()
    .max(512)
    .nullish()
    .transform((name) => name || null),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  /** llama.cpp's: 0 and −1 turn it off. */
  top_k: optional(
    z
      .int()
      .min(-1)
      .transform((count) => Math.max(0, count)),
  ),
  min_p: optional(z.number().min(0).max(1)),
  repeat_penalty: optional(z.number().min(0).max(10)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  logit_bias: logitBiasSchema,
  seed: optional(z.int()),
  stop: stopSchema,
  n: z
    .int()
    .min(1)
    .max(MAX_CHOICES)
    .nullish()
    .transform((count) => count ?? 1),
  stream: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  stream_options: z
    .object({ include_usage: z.boolean().nullish() })
    .nullish()
    .transform((options) => options?.include_usage ?? false),
};

export interface SharedFields {
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly top_k: number | null;
  readonly min_p: number | null;
  readonly repeat_penalty: number | null;
  readonly frequency_penalty: number | null;
  readonly presence_penalty: number | null;
  readonly logit_bias: Record<string, number> | null;
  readonly seed: number | null;
}

/** The sampling of one of several choices: each has a seed of its own, so that they differ. */
export function samplingOf(fields: SharedFields, choice: number): Sampling {
  return {
    temperature: fields.temperature,
    topP: fields.top_p,
    topK: fields.top_k,
    minP: fields.min_p,
    repeatPenalty: fields.repeat_penalty,
    frequencyPenalty: fields.frequency_penalty,
    presencePenalty: fields.presence_penalty,
    logitBias: fields.logit_bias,
    // Any safe integer is a seed on the wire; engines take 32 bits.
    seed: fields.seed === null ? null : (fields.seed + choice) >>> 0,
  };
}

export interface OriginFields {
  readonly user: string | null;
  readonly safety_identifier: string | null;
  readonly metadata?:
    | { readonly user_id: string | null; readonly content_type: string | null }
    | null
    | undefined;
}

/** What a body says of its origin. */
export interface BodyOrigin {
  readonly user: string | null;
  readonly contentType: string | null;
}

export function originOf({ user, safety_identifier, metadata }: OriginFields): BodyOrigin {
  return {
    user: user || safety_identifier || metadata?.user_id || null,
    contentType: metadata?.content_type || null,
  };
}
