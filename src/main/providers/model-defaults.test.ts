import { expect, test } from 'vitest';
import { type GenerationRequest, NO_SAMPLING, PLAIN } from '../../shared/generation.ts';
import { withModelDefaults } from './model-defaults.ts';

const user = { role: 'user', content: 'Hi' } as const;
const request: GenerationRequest = {
  prompt: { kind: 'chat', messages: [user] },
  maxTokens: null,
  stop: [],
  sampling: NO_SAMPLING,
  ...PLAIN,
};
const NOTHING = { temperature: null, topP: null, topK: null, minP: null, repeatPenalty: null };

test('what the request leaves open the model’s settings say, and what neither says stays open', () => {
  const sampling = { ...NOTHING, temperature: 0.7, topP: 0.5 };
  const asked = { ...request, sampling: { ...NO_SAMPLING, temperature: 0 } };
  expect(withModelDefaults(asked, { systemPrompt: null, sampling }).sampling).toEqual({
    ...NO_SAMPLING,
    temperature: 0,
    topP: 0.5,
  });
});

test('the system prompt comes first, unless the caller has one', () => {
  const defaults = { systemPrompt: 'Be brief', sampling: NOTHING };
  const system = { role: 'system', content: 'Be brief' };
  expect(withModelDefaults(request, defaults).prompt).toEqual({ kind: 'chat', messages: [system, user] });
  const own: GenerationRequest = {
    ...request,
    prompt: { kind: 'chat', messages: [user, { role: 'system', content: 'Be long' }] },
  };
  expect(withModelDefaults(own, defaults).prompt).toEqual(own.prompt);
  const text: GenerationRequest = { ...request, prompt: { kind: 'text', text: 'Once' } };
  expect(withModelDefaults(text, defaults).prompt).toEqual(text.prompt);
});
