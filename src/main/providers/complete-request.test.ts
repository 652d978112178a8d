import { describe, expect, test } from 'vitest';
import { type GenerationRequest, NO_SAMPLING, PLAIN } from '../../shared/generation.ts';
import { completeRequest } from './complete-request.ts';

const NOTHING_SET = {
  systemPrompt: null,
  sampling: { temperature: null, topP: null, topK: null, minP: null, repeatPenalty: null },
};
const CHAT: GenerationRequest = {
  prompt: { kind: 'chat', messages: [{ role: 'user', content: 'Hi' }] },
  maxTokens: 7,
  stop: ['x'],
  sampling: NO_SAMPLING,
  ...PLAIN,
};

test('a request that says nothing is done as the OpenAI API does it', () => {
  expect(completeRequest(CHAT, NOTHING_SET, 42)).toEqual({
    prompt: CHAT.prompt,
    maxTokens: 7,
    stop: ['x'],
    sampling: {
      temperature: 1,
      topP: 1,
      topK: 0,
      minP: 0,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      logitBias: [],
      seed: 42,
    },
  });
});

test('what a request leaves open the model decides, and what it says holds, zero included', () => {
  const model = {
    systemPrompt: null,
    sampling: { temperature: 0.5, topP: 0.6, topK: 7, minP: 0.8, repeatPenalty: 1.1 },
  };
  expect(completeRequest(CHAT, model, 1).sampling).toMatchObject(model.sampling);
  const said = { temperature: 0, topP: 0, topK: 0, minP: 0, repeatPenalty: 0, seed: 0 };
  const request = { ...CHAT, sampling: { ...NO_SAMPLING, ...said } };
  expect(completeRequest(request, model, 1).sampling).toMatchObject(said);
});

test('biases become pairs of numbers', () => {
  const request = { ...CHAT, sampling: { ...NO_SAMPLING, logitBias: { '12': -100, '3': 5 } } };
  expect(new Map(completeRequest(request, NOTHING_SET, 1).sampling.logitBias)).toEqual(
    new Map([
      [12, -100],
      [3, 5],
    ]),
  );
});

describe('the system prompt of a model', () => {
  const model = { ...NOTHING_SET, systemPrompt: 'Be brief.' };

  test('comes before the messages', () => {
    expect(completeRequest(CHAT, model, 1).prompt).toEqual({
      kind: 'chat',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    });
  });

  test('gives way to one that the caller sends, wherever it stands', () => {
    const prompt = {
      kind: 'chat' as const,
      messages: [
        { role: 'user' as const, content: 'Hi' },
        { role: 'system' as const, content: 'Be long.' },
      ],
    };
    expect(completeRequest({ ...CHAT, prompt }, model, 1).prompt).toEqual(prompt);
  });

  test('is no part of a text or of tokens', () => {
    for (const prompt of [
      { kind: 'text' as const, text: 'Once' },
      { kind: 'tokens' as const, tokens: [1] },
    ]) {
      expect(completeRequest({ ...CHAT, prompt }, model, 1).prompt).toEqual(prompt);
    }
  });
});
