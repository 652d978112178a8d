import { z } from 'zod';
import type { ErrorJson } from './errors.ts';

/*
 * What passes between the wire formats on one side and the engines on the other: one request, one union of parts. Plain types, but for what the interface sends, which is checked.
 */

/** A value that came as JSON. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A message that is text and nothing else: what the interface sends and what an engine reads. */
export const textMessageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
  name: z.string().optional(),
});
export type TextMessage = z.infer<typeof textMessageSchema>;

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  /** `url` begins with `https:` or `data:`; `null` detail leaves the choice to the provider. */
  | { readonly type: 'image'; readonly url: string; readonly detail: 'auto' | 'low' | 'high' | null }
  /** `format` as the OpenAI API names it: `wav`, `mp3`. */
  | { readonly type: 'audio'; readonly base64: string; readonly format: string }
  | {
      readonly type: 'file';
      readonly base64: string;
      readonly mediaType: string;
      readonly name: string | null;
    };

/** A tool that the model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text, as the model wrote it: it need not be valid. */
  readonly arguments: string;
}

export interface ChatMessage {
  readonly role: TextMessage['role'];
  /** Text alone is a string; parts stand only where something else is among them. */
  readonly content: string | readonly ContentPart[];
  readonly name?: string | undefined;
  /** Of the assistant: what it asked for. Never an empty list. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** Of a tool: the call that this answers. */
  readonly toolCallId?: string | undefined;
}

/** `chat` goes through the model's template; `text` and `tokens` reach the model as they are. */
export type PromptOf<Message> =
  | { readonly kind: 'chat'; readonly messages: readonly Message[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] };
export type Prompt = PromptOf<ChatMessage>;
export type EnginePrompt = PromptOf<TextMessage>;

/**
 * How tokens are chosen. `null` leaves a choice to the model's settings, then to the OpenAI API's defaults.
 * Penalties look at the text generated so far, as the OpenAI API defines them.
 */
export const samplingSchema = z.object({
  temperature: z.number().min(0).max(2).nullable(),
  topP: z.number().min(0).max(1).nullable(),
  topK: z.int().min(0).nullable(),
  minP: z.number().min(0).max(1).nullable(),
  repeatPenalty: z.number().min(0).max(10).nullable(),
  frequencyPenalty: z.number().min(-2).max(2).nullable(),
  presencePenalty: z.number().min(-2).max(2).nullable(),
  /** Token id → bias in logits, −100 to 100. */
  logitBias: z.record(z.string(), z.number().min(-100).max(100)).nullable(),
  /** 32 bits, unsigned; `null` takes a random one. */
  seed: z.int().min(0).max(0xffff_ffff).nullable(),
});
export type Sampling = z.infer<typeof samplingSchema>;

/** Something the model may ask to have done. */
export interface Tool {
  readonly name: string;
  readonly description: string | null;
  /** A JSON schema of the arguments; `null` = it takes none. */
  readonly parameters: JsonObject | null;
  /** Whether arguments must follow the schema to the letter; `null` leaves it to the model. */
  readonly strict: boolean | null;
}

export interface ToolUse {
  /** At least one. */
  readonly tools: readonly Tool[];
  /** `required` = some tool; a name = that one. */
  readonly choice: 'auto' | 'none' | 'required' | { readonly name: string };
  /** Whether several may be called at once; `null` leaves it to the model. */
  readonly parallel: boolean | null;
}

/** The form an answer must have. */
export type ResponseFormat =
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly name: string;
      readonly description: string | null;
      readonly schema: JsonObject;
      readonly strict: boolean | null;
    };

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high';

export interface GenerationRequest {
  readonly prompt: Prompt;
  /** Tokens to generate at most; `null` and anything larger than what fits mean: until the context is full. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  readonly sampling: Sampling;
  readonly tools: ToolUse | null;
  /** `null` = text. */
  readonly responseFormat: ResponseFormat | null;
  /** `null` leaves it to the model. */
  readonly reasoningEffort: ReasoningEffort | null;
  /** Whom the caller says it asks for, for a provider to tell its users apart. */
  readonly user: string | null;
}

/** What a request holds that asks for nothing but text. */
export const PLAIN = { tools: null, responseFormat: null, reasoningEffort: null, user: null } as const;

export const NO_SAMPLING: Sampling = {
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  repeatPenalty: null,
  frequencyPenalty: null,
  presencePenalty: null,
  logitBias: null,
  seed: null,
};

/** Sampling with every choice made: an engine knows no defaults. */
export interface EngineSampling {
  readonly temperature: number;
  readonly topP: number;
  /** 0 = off. */
  readonly topK: number;
  readonly minP: number;
  /** 1 = off. */
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  /** Pairs of token id and logits to add. */
  readonly logitBias: readonly (readonly [number, number])[];
  readonly seed: number;
}

/** A request as an engine takes it. */
export interface EngineRequest {
  readonly prompt: EnginePrompt;
  /** `null` = until the context is full. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  readonly sampling: EngineSampling;
}

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter';

export interface Usage {
  readonly promptTokens: number;
  /** Of `promptTokens`, those that were already in the slot's or the provider's cache. */
  readonly cachedTokens: number;
  /** Of `promptTokens`, those that a provider wrote into its cache, where it counts them. */
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  /** Of `completionTokens`, those that the model spent on thinking. */
  readonly reasoningTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/**
 * A stream is any number of deltas, then `finish` and `usage`, which only a provider that does not count may leave out;
 * or it ends early with one `error`. A tool call begins with its start, whose indexes count from 0 up; its arguments
 * follow in pieces, all before the next call begins: OpenAI's own client takes a call for complete then.
 */
export type StreamPart =
  | { readonly type: 'text-delta'; readonly text: string }
  /** What the model thinks before it answers. */
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'tool-call-start'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: 'tool-call-delta'; readonly index: number; readonly argumentsText: string }
  | { readonly type: 'finish'; readonly reason: FinishReason }
  | ({ readonly type: 'usage' } & Usage)
  | { readonly type: 'error'; readonly error: ErrorJson };

/** The text of a message: its text parts, each on a line of its own. */
export function textOf({ content }: Pick<ChatMessage, 'content'>): string {
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}
