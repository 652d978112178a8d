import { z } from 'zod';
import { parseBody, refuse } from '../request-errors.ts';
import { type BodyOrigin, optional, originFields, originOf } from './shared-fields.ts';

/** OpenAI's own bound. */
const MAX_INPUTS = 2048;
const MAX_DIMENSIONS = 65_536;

const inputsSchema = z
  .unknown()
  .optional()
  .transform((value, context): string[] => {
    if (value === undefined || value === null) return refuse(context, [], '"input" is needed.');
    const inputs: unknown = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(inputs) || inputs.length === 0) {
      return refuse(context, [], '"input" must be a string, or a list of strings that is not empty.');
    }
    if (typeof inputs[0] === 'number' || Array.isArray(inputs[0])) {
      return refuse(
        context,
        [],
        'Embedding token ids is not supported yet: send "input" as text.',
        'unsupported_parameter',
      );
    }
    if (inputs.length > MAX_INPUTS) {
      return refuse(context, [], `"input" must hold at most ${MAX_INPUTS} texts, not ${inputs.length}.`);
    }
    const texts: string[] = [];
    for (const [index, text] of inputs.entries()) {
      if (typeof text === 'string' && text !== '') texts.push(text);
      else {
        const path = typeof value === 'string' ? [] : [index];
        return refuse(context, path, 'A text to embed must be a string that is not empty.');
      }
    }
    return texts;
  });

const embeddingRequestSchema = z.object({
  ...originFields,
  model: z.string().min(1).max(512),
  input: inputsSchema,
  encoding_format: z
    .enum(['float', 'base64'])
    .nullish()
    .transform((format) => format ?? 'float'),
  dimensions: optional(z.int().min(1).max(MAX_DIMENSIONS)),
});

export interface AskedEmbedding {
  readonly model: string;
  readonly inputs: readonly string[];
  /** `base64` = of the vector's 32-bit floats, little-endian. */
  readonly encoding: 'float' | 'base64';
  readonly dimensions: number | null;
  readonly origin: BodyOrigin;
}

/** @throws RoundhouseError `invalid_request`, `unsupported_parameter`, with the param */
export function parseEmbeddingRequest(body: unknown): AskedEmbedding {
  const fields = parseBody(embeddingRequestSchema, body);
  return {
    model: fields.model,
    inputs: fields.input,
    encoding: fields.encoding_format,
    dimensions: fields.dimensions,
    origin: originOf(fields),
  };
}
