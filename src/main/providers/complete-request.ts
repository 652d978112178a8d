import {
  type ChatMessage,
  type EnginePrompt,
  type EngineRequest,
  type GenerationRequest,
  type Prompt,
  type TextMessage,
  textOf,
} from '../../shared/generation.ts';
import type { ModelSettings } from '../config/settings.ts';

type Defaults = Pick<ModelSettings, 'systemPrompt' | 'sampling'>;

/**
 * Makes every choice that a request left open: the model's settings first, then what the OpenAI API does.
 * @param seed 32 bits, for a request without one: two requests at the same moment must not be twins
 */
export function completeRequest(request: GenerationRequest, model: Defaults, seed: number): EngineRequest {
  const { sampling } = request;
  const own = model.sampling;
  return {
    prompt: withSystemPrompt(request.prompt, model.systemPrompt),
    maxTokens: request.maxTokens,
    stop: request.stop,
    sampling: {
      temperature: sampling.temperature ?? own.temperature ?? 1,
      topP: sampling.topP ?? own.topP ?? 1,
      topK: sampling.topK ?? own.topK ?? 0,
      minP: sampling.minP ?? own.minP ?? 0,
      repeatPenalty: sampling.repeatPenalty ?? own.repeatPenalty ?? 1,
      frequencyPenalty: sampling.frequencyPenalty ?? 0,
      presencePenalty: sampling.presencePenalty ?? 0,
      logitBias: Object.entries(sampling.logitBias ?? {}).map(
        ([token, bias]) => [Number(token), bias] as const,
      ),
      seed: sampling.seed ?? seed,
    },
  };
}

/** As `completeRequest`, for a provider: what nobody chose is left to it, and messages stay what they are. */
export function completeRemoteRequest(request: GenerationRequest, model: Defaults): GenerationRequest {
  const { sampling } = request;
  const own = model.sampling;
  return {
    ...request,
    prompt: withOwnSystemPrompt(request.prompt, model.systemPrompt),
    sampling: {
      ...sampling,
      temperature: sampling.temperature ?? own.temperature,
      topP: sampling.topP ?? own.topP,
      topK: sampling.topK ?? own.topK,
      minP: sampling.minP ?? own.minP,
      repeatPenalty: sampling.repeatPenalty ?? own.repeatPenalty,
    },
  };
}

function withOwnSystemPrompt(prompt: Prompt, systemPrompt: string | null): Prompt {
  if (prompt.kind !== 'chat' || systemPrompt === null) return prompt;
  if (prompt.messages.some((message) => message.role === 'system')) return prompt;
  return { kind: 'chat', messages: [{ role: 'system', content: systemPrompt }, ...prompt.messages] };
}

function withSystemPrompt(prompt: Prompt, systemPrompt: string | null): EnginePrompt {
  if (prompt.kind !== 'chat') return prompt;
  const messages = prompt.messages.map(asText);
  if (systemPrompt === null || messages.some((message) => message.role === 'system')) {
    return { kind: 'chat', messages };
  }
  return { kind: 'chat', messages: [{ role: 'system', content: systemPrompt }, ...messages] };
}

/** Whatever else a message holds has been refused before. */
function asText(message: ChatMessage): TextMessage {
  const { role, name } = message;
  return { role, content: textOf(message), ...(name === undefined ? {} : { name }) };
}
