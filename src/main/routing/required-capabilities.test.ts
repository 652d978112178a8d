import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChatMessage,
  type ContentPart,
  type GenerationRequest,
  NO_SAMPLING,
  PLAIN,
  type ResponseFormat,
  type ToolUse,
} from '../../shared/generation.ts';
import { requiredCapabilities } from './required-capabilities.ts';

const USER: ChatMessage = { role: 'user', content: 'Hi' };
const TEXT: ContentPart = { type: 'text', text: 'What is this?' };
const IMAGE: ContentPart = { type: 'image', url: 'https://example.com/cat.png', detail: null };
const AUDIO: ContentPart = { type: 'audio', base64: 'AAAA', format: 'wav' };
const FILE: ContentPart = { type: 'file', base64: 'AAAA', mediaType: 'application/pdf', name: null };
const TOOL = { name: 'look_up', description: null, parameters: null, strict: null };
const SCHEMA: ResponseFormat = {
  type: 'json_schema',
  name: 'answer',
  description: null,
  schema: {},
  strict: null,
};

function chat(messages: readonly ChatMessage[], fields: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    prompt: { kind: 'chat', messages },
    maxTokens: null,
    stop: [],
    sampling: NO_SAMPLING,
    ...PLAIN,
    ...fields,
  };
}

const toolUse = (choice: ToolUse['choice']): ToolUse => ({ tools: [TOOL], choice, parallel: null });
const saying = (...content: readonly ContentPart[]): ChatMessage => ({ role: 'user', content });

test.each<[needs: string[], request: GenerationRequest]>([
  [[], chat([USER])],
  [[], chat([saying(TEXT)])],
  [['image_input'], chat([saying(TEXT, IMAGE), USER])],
  [['audio_input'], chat([USER, saying(AUDIO)])],
  [['document_input'], chat([saying(FILE)])],
  [['image_input', 'audio_input', 'document_input'], chat([saying(FILE, AUDIO), saying(IMAGE, IMAGE)])],
  [['function_calling'], chat([USER], { tools: toolUse('auto') })],
  [['function_calling'], chat([USER], { tools: toolUse({ name: 'look_up' }) })],
  [['structured_output'], chat([USER], { responseFormat: SCHEMA })],
  [['json_mode'], chat([USER], { responseFormat: { type: 'json_object' } })],
  [
    ['function_calling', 'json_mode'],
    chat([USER], { tools: toolUse('auto'), responseFormat: { type: 'json_object' } }),
  ],
])('%j', (needs, request) => {
  expect(requiredCapabilities(request)).toEqual(needs);
});

describe('what any model can answer', () => {
  test('tools that must not be called, and how hard to think', () => {
    expect(requiredCapabilities(chat([USER], { tools: toolUse('none'), reasoningEffort: 'high' }))).toEqual(
      [],
    );
  });

  test('what a tool said, as far as it is text', () => {
    expect(requiredCapabilities(chat([USER, { role: 'tool', content: '42', toolCallId: 'a' }]))).toEqual([]);
  });

  test('texts and tokens that are continued', () => {
    for (const prompt of [
      { kind: 'text', text: 'Once' },
      { kind: 'tokens', tokens: [1] },
    ] as const) {
      expect(requiredCapabilities({ ...chat([USER]), prompt })).toEqual([]);
    }
  });
});

test('a conversation in which tools were called needs a model that knows of calls, though none are offered now', () => {
  const call: ChatMessage = {
    role: 'assistant',
    content: '',
    toolCalls: [{ id: 'a', name: 'look_up', arguments: '{}' }],
  };
  expect(requiredCapabilities(chat([USER, call]))).toEqual(['function_calling']);
});

test('a longer conversation never needs less, and its order does not matter', () => {
  const message = fc
    .subarray([TEXT, IMAGE, AUDIO, FILE], { minLength: 1 })
    .map((parts): ChatMessage => saying(...parts));
  fc.assert(
    fc.property(fc.array(message), fc.array(message), (first, second) => {
      const both = requiredCapabilities(chat([...first, ...second]));
      expect(requiredCapabilities(chat([...second, ...first]))).toEqual(both);
      expect(both).toEqual(expect.arrayContaining([...requiredCapabilities(chat(first))]));
    }),
  );
});
