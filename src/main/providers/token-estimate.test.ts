import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GenerationRequest, NO_SAMPLING, PLAIN } from '../../shared/generation.ts';
import { estimatedTokens } from './token-estimate.ts';

function chat(content: string, more: Partial<GenerationRequest> = {}): GenerationRequest {
  const messages = [{ role: 'user' as const, content }];
  return {
    prompt: { kind: 'chat', messages },
    maxTokens: null,
    stop: [],
    sampling: NO_SAMPLING,
    ...PLAIN,
    ...more,
  };
}

test('more text is never fewer tokens, and tools count', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, more) => {
      expect(estimatedTokens(chat(text + more))).toBeGreaterThanOrEqual(estimatedTokens(chat(text)));
    }),
  );
  const tools = [{ name: 'weather', description: 'What the sky does', parameters: null, strict: null }];
  const withTools = chat('Hi', { tools: { tools, choice: 'auto', parallel: null } });
  expect(estimatedTokens(withTools)).toBeGreaterThan(estimatedTokens(chat('Hi')) + 10);
});

test('a picture counts as one, however many bytes it has', () => {
  const picture = (url: string): GenerationRequest => ({
    ...chat(''),
    prompt: { kind: 'chat', messages: [{ role: 'user', content: [{ type: 'image', url, detail: null }] }] },
  });
  expect(estimatedTokens(picture(`data:image/png;base64,${'A'.repeat(1e6)}`))).toBe(
    estimatedTokens(picture('https://x')),
  );
});

test('tokens are counted, raw text is estimated', () => {
  expect(estimatedTokens({ ...chat(''), prompt: { kind: 'tokens', tokens: [1, 2, 3] } })).toBe(3);
  expect(estimatedTokens({ ...chat(''), prompt: { kind: 'text', text: 'x'.repeat(400) } })).toBe(100);
});
