import type { GenerationRequest, Prompt, Sampling } from '../../shared/generation.ts';
import type { RemoteModelSettings } from '../config/settings.ts';

type Defaults = Pick<RemoteModelSettings, 'systemPrompt' | 'sampling'>;

/**
 * A request with what the model's settings say where it says nothing. What neither says is left to the provider: it has
 * defaults of its own, and refuses some choices altogether.
 */
export function withModelDefaults(
  request: GenerationRequest,
  { systemPrompt, sampling: own }: Defaults,
): GenerationRequest {
  const { sampling } = request;
  const completed: Sampling = {
    ...sampling,
    temperature: sampling.temperature ?? own.temperature,
    topP: sampling.topP ?? own.topP,
    topK: sampling.topK ?? own.topK,
    minP: sampling.minP ?? own.minP,
    repeatPenalty: sampling.repeatPenalty ?? own.repeatPenalty,
  };
  return { ...request, sampling: completed, prompt: withSystemPrompt(request.prompt, systemPrompt) };
}

/** Before the messages of a chat that has no system message. */
function withSystemPrompt(prompt: Prompt, systemPrompt: string | null): Prompt {
  if (prompt.kind !== 'chat' || systemPrompt === null) return prompt;
  if (prompt.messages.some(({ role }) => role === 'system')) return prompt;
  return { kind: 'chat', messages: [{ role: 'system', content: systemPrompt }, ...prompt.messages] };
}
