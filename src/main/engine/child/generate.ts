import {
  type LlamaContextSequence,
  type SequenceEvaluateOptions,
  type Token,
  TokenBias,
} from 'node-llama-cpp';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { EngineRequest, EngineSampling, FinishReason, StreamPart } from '../../../shared/generation.ts';
import { type ContextSizes, contextExceeded } from './context-error.ts';
import type { Gate } from './gate.ts';
import { TextStream } from './text-stream.ts';

export interface GenerateInput {
  readonly sequence: LlamaContextSequence;
  /** Shared by all slots of the context. */
  readonly gate: Gate;
  readonly prompt: readonly Token[];
  readonly request: EngineRequest;
  readonly contextSizes: ContextSizes;
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly emit: (part: StreamPart) => void;
  /** When work on the prompt began, by `monotonicMs`. */
  readonly startMs: number;
  readonly monotonicMs: () => number;
}

/**
 * Evaluates a prompt in a slot and samples from it, emitting text as it becomes safe to show, then `finish` and
 * `usage`. Ends silently when `signal` fires: whoever fired it knows.
 * @throws RoundhouseError `context_length_exceeded` before anything is evaluated
 */
export async function generate(input: GenerateInput): Promise<void> {
  const { sequence, gate, prompt, request, signal, emit, startMs, monotonicMs } = input;
  const room = checkRoom(prompt.length, input.contextSizes);
  const limit = Math.min(room, request.maxTokens ?? room);

  const cachedTokens = await keepCommonPrefix(input);
  const rest = await prefillAllButLastBatch(input, prompt.slice(cachedTokens));
  if (signal.aborted) return;

  const model = sequence.model;
  const text = new TextStream<Token>(
    (tokens, before) => model.detokenize(tokens, false, before),
    request.stop,
    // A chat's answer is a text of its own; other prompts are continued, with the space between two words.
    request.prompt.kind === 'chat' ? [] : prompt,
  );
  const generated: Token[] = [];
  let firstTokenMs: number | null = null;
  let reason: FinishReason = 'length';

  if (limit === 0) {
    await sequence.evaluateWithoutGeneratingNewTokens(rest);
  } else {
    reason = 'stop';
    const sampler = samplerOptions(sequence, request.sampling, generated, limit);
    for await (const token of sequence.evaluate(rest, sampler)) {
      if (signal.aborted) return;
      firstTokenMs ??= monotonicMs();
      generated.push(token);
      const delta = text.push(token);
      if (delta !== '') emit({ type: 'text-delta', text: delta });
      if (text.stopped) break;
      if (generated.length >= limit) {
        reason = 'length';
        break;
      }
      if (gate.opened) await gate.opened;
    }
    if (signal.aborted) return;
  }
  const tail = text.end();
  if (tail !== '') emit({ type: 'text-delta', text: tail });
  if (text.stopped) reason = 'stop';

  const endMs = monotonicMs();
  emit({ type: 'finish', reason });
  emit({
    type: 'usage',
    promptTokens: prompt.length,
    cachedTokens,
    cacheWriteTokens: 0,
    completionTokens: generated.length,
    reasoningTokens: 0,
    prefillMs: (firstTokenMs ?? endMs) - startMs,
    decodeMs: endMs - (firstTokenMs ?? endMs),
  });
}

/** @returns how many tokens can be generated behind a prompt of this length: at least 1 */
function checkRoom(promptTokens: number, sizes: ContextSizes): number {
  if (promptTokens === 0) {
    throw new RoundhouseError('invalid_request', 'the prompt is empty; send at least one token', {
      param: 'prompt',
    });
  }
  if (promptTokens >= sizes.contextSize) {
    throw contextExceeded(`${promptTokens}`, sizes);
  }
  return sizes.contextSize - promptTokens;
}

/**
 * Cuts the slot's state down to what it shares with the prompt. At least one token is left to evaluate, because logits
 * come only from evaluating. Some models (sliding window, recurrent) cannot be cut and start over.
 * @returns tokens of the prompt that need no prefill
 */
async function keepCommonPrefix({ sequence, gate, prompt }: GenerateInput): Promise<number> {
  const reusable = prompt.slice(0, prompt.length - 1);
  await gate.closedWhile(() => sequence.adaptStateToTokens(reusable, false));
  return sequence.nextTokenIndex;
}

/** Prefill cannot be interrupted inside one call, so it goes in slices of one batch, with a look at the signal between. */
async function prefillAllButLastBatch(input: GenerateInput, tokens: readonly Token[]): Promise<Token[]> {
  let start = 0;
  while (tokens.length - start > input.batchSize) {
    if (input.signal.aborted) return [];
    const slice = tokens.slice(start, start + input.batchSize);
    await input.sequence.evaluateWithoutGeneratingNewTokens(slice);
    if (input.gate.opened) await input.gate.opened;
    start += input.batchSize;
  }
  return tokens.slice(start);
}

/** What llama.cpp takes for "any seed". Source: `LLAMA_DEFAULT_SEED`. A request's seed must repeat its text. */
const RANDOM_SEED = 0xffff_ffff;

/** node-llama-cpp's own defaults differ from the OpenAI API's, so nothing is left to them. */
function samplerOptions(
  sequence: LlamaContextSequence,
  sampling: EngineSampling,
  generated: readonly Token[],
  maxTokens: number,
): SequenceEvaluateOptions {
  const penalised =
    sampling.repeatPenalty !== 1 || sampling.frequencyPenalty !== 0 || sampling.presencePenalty !== 0;
  return {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    minP: sampling.minP,
    seed: sampling.seed === RANDOM_SEED ? RANDOM_SEED - 1 : sampling.seed,
    ...(penalised
      ? {
          repeatPenalty: {
            // All that was generated, however long: the library alone would look back 64 tokens.
            punishTokens: () => [...generated],
            // The same for each token: the library's sampler then learns one token at a time.
            maxPunishTokens: maxTokens,
            penalty: sampling.repeatPenalty,
            frequencyPenalty: sampling.frequencyPenalty,
            presencePenalty: sampling.presencePenalty,
          },
        }
      : {}),
    ...(sampling.logitBias.length > 0 ? { tokenBias: tokenBias(sequence, sampling.logitBias) } : {}),
  };
}

/**
 * Ends of text too: to forbid them is the OpenAI API's own example, and `TokenBias.set` leaves them out. What it wraps is
 * set directly, therefore. Source: node-llama-cpp, `TokenBias._biases`, logits by token.
 */
function tokenBias(sequence: LlamaContextSequence, biases: EngineSampling['logitBias']): TokenBias {
  const result = new TokenBias(sequence.model.tokenizer);
  // The field is internal, so its type is not published.
  const { _biases: logits } = result as unknown as { readonly _biases: Map<number, number> };
  for (const [token, logit] of biases) logits.set(token, logit);
  return result;
}
