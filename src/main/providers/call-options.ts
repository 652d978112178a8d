import type { JSONSchema7, LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { RoundhouseError } from '../../shared/errors.ts';
import type { GenerationRequest, JsonObject, ReasoningEffort, ToolUse } from '../../shared/generation.ts';
import { type PromptDialect, promptOf } from './prompt.ts';

/** How one vendor is asked through its AI SDK package. */
export interface Dialect extends PromptDialect {
  /** How much the model is to think. */
  reasoning(request: GenerationRequest): ReasoningEffort | null;
  /** What the package takes beyond the options that all have. */
  options(request: GenerationRequest): SharedV4ProviderOptions;
  /** The schema that stands for "any JSON object"; `null` where the vendor has a mode for that. */
  readonly anyObject: JsonObject | null;
}

type Options = Omit<LanguageModelV4CallOptions, 'abortSignal'>;

/**
 * A request as the AI SDK's providers take it. What a vendor has no parameter for is left out when it only shapes the
 * answer (`topK`, `seed`, penalties), and refused when the answer would be another (images, raw prompts).
 * @param maxOutputTokens the most that the model can write, as far as is known
 * @throws RoundhouseError
 */
export function callOptions(
  request: GenerationRequest,
  dialect: Dialect,
  maxOutputTokens: number | null,
): Options {
  const { prompt, sampling, stop, tools } = request;
  if (prompt.kind !== 'chat') {
    throw new RoundhouseError(
      'capability_missing',
      'Models of this provider take conversations only, no raw prompts: use /v1/chat/completions.',
    );
  }
  const options: Options = {
    prompt: promptOf(prompt.messages, dialect),
    providerOptions: dialect.options(request),
  };
  set(options, 'maxOutputTokens', cappedTokens(request.maxTokens, maxOutputTokens));
  set(options, 'temperature', sampling.temperature);
  set(options, 'topP', sampling.topP);
  // Zero turns it off with us, and is out of range elsewhere.
  set(options, 'topK', sampling.topK === 0 ? null : sampling.topK);
  set(options, 'frequencyPenalty', sampling.frequencyPenalty);
  set(options, 'presencePenalty', sampling.presencePenalty);
  set(options, 'seed', sampling.seed);
  set(options, 'stopSequences', stop.length === 0 ? null : [...stop]);
  set(options, 'reasoning', dialect.reasoning(request));
  set(options, 'responseFormat', formatOf(request, dialect));
  if (tools !== null) {
    options.tools = tools.tools.map(toolOf);
    options.toolChoice = choiceOf(tools.choice);
  }
  return options;
}

function set<Key extends keyof Options>(options: Options, key: Key, value: Options[Key] | null): void {
  if (value !== null) options[key] = value;
}

/** More than fits means "until it is full", which vendors say by leaving it out, or refuse. */
function cappedTokens(asked: number | null, most: number | null): number | null {
  if (asked === null) return null;
  if (most !== null) return Math.min(asked, most);
  return asked > 1e9 ? null : asked;
}

function formatOf(
  { responseFormat: format }: GenerationRequest,
  { anyObject }: Dialect,
): Options['responseFormat'] | null {
  if (format === null) return null;
  if (format.type === 'json_object') {
    return { type: 'json', ...(anyObject !== null && { schema: schemaOf(anyObject) }) };
  }
  const { name, description, schema } = format;
  return { type: 'json', name, schema: schemaOf(schema), ...(description !== null && { description }) };
}

function toolOf({ name, description, parameters, strict }: ToolUse['tools'][number]) {
  return {
    type: 'function' as const,
    name,
    inputSchema: schemaOf(parameters ?? { type: 'object', properties: {} }),
    ...(description !== null && { description }),
    ...(strict !== null && { strict }),
  };
}

function choiceOf(choice: ToolUse['choice']): NonNullable<Options['toolChoice']> {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.name };
}

/** A schema comes from the caller as JSON: whether it is one the vendor decides. */
function schemaOf(schema: JsonObject): JSONSchema7 {
  return schema as JSONSchema7;
}
