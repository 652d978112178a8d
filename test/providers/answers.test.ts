import { describe, expect, test } from 'vitest';
import type { ChatMessage, StreamPart, Tool } from '../../src/shared/generation.ts';
import { USED } from '../fakes/wire/brain.ts';
import { ask, chat, errorIn, textOfParts, WIRES, wired } from './harness.ts';
import { finishOf, PERSON, PNG, PNG_BYTES, WEATHER, WEATHER_CALL } from './questions.ts';

/*
 * What every provider must carry there and back, over real HTTP against a fake of its protocol. The fakes answer with what
 * they were sent, in the vendor's form.
 */

function callsOf(parts: readonly StreamPart[]): { id: string; name: string; arguments: unknown }[] {
  const calls: { id: string; name: string; text: string }[] = [];
  for (const part of parts) {
    if (part.type === 'tool-call-start') {
      expect(part.index).toBe(calls.length);
      calls.push({ id: part.id, name: part.name, text: '' });
    }
    const call = part.type === 'tool-call-delta' ? calls[part.index] : undefined;
    if (part.type === 'tool-call-delta' && call) call.text += part.argumentsText;
  }
  return calls.map(({ id, name, text }) => ({ id, name, arguments: JSON.parse(text) }));
}

describe.each(WIRES)('%s', (wire) => {
  test('streams a text in pieces, then says how it ended and what it used', async () => {
    const parts = await ask(
      await wired(wire),
      chat([
        { role: 'system', content: 'Be kind' },
        { role: 'user', content: 'Hé!' },
      ]),
    );
    expect(textOfParts(parts)).toBe('(Be kind) You said “Hé!” 🚂');
    expect(parts.filter(({ type }) => type === 'text-delta').length).toBeGreaterThan(2);
    expect(parts.at(-2)).toEqual({ type: 'finish', reason: 'stop' });
    expect(parts.at(-1)).toEqual({
      type: 'usage',
      promptTokens: USED.prompt,
      cachedTokens: USED.cached,
      // Only Anthropic counts what it writes to its cache.
      cacheWriteTokens: wire === 'anthropic' ? USED.written : 0,
      completionTokens: USED.completion,
      reasoningTokens: USED.thinking,
      prefillMs: 0,
      decodeMs: 0,
    });
  });

  test('stops at the tokens that are allowed', async () => {
    const parts = await ask(await wired(wire), chat('count as far as you can', { maxTokens: 2 }));
    expect(textOfParts(parts)).toBe('You said “co');
    expect(finishOf(parts)).toBe('length');
  });

  test('shows what the model thinks, when it is asked to think', async () => {
    const parts = await ask(await wired(wire), chat('Why?', { reasoningEffort: 'low' }));
    // OpenAI keeps it to itself.
    const thoughts = wire === 'openai' ? '' : 'Let me think…';
    expect(parts.flatMap((part) => (part.type === 'reasoning-delta' ? [part.text] : [])).join('')).toBe(
      thoughts,
    );
    expect(textOfParts(parts)).toBe('You said “Why?” 🚂');
  });

  test('calls a tool, several at once, and reads what they gave', async () => {
    const fixture = await wired(wire);
    const tools = { tools: [WEATHER], choice: 'auto', parallel: true } as const;
    const question: ChatMessage = { role: 'user', content: 'The weather of both towns?' };
    const parts = await ask(fixture, chat([question], { tools }));
    const calls = callsOf(parts);
    expect(calls.map(({ name, arguments: args }) => [name, args])).toEqual([
      ['get_weather', WEATHER_CALL],
      ['get_weather', WEATHER_CALL],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(finishOf(parts)).toBe('tool-calls');

    const toolCalls = calls.map(({ id, name, arguments: args }) => ({
      id,
      name,
      arguments: JSON.stringify(args),
    }));
    const results = calls.map(
      ({ id }, index): ChatMessage => ({ role: 'tool', toolCallId: id, content: `sun ${index}` }),
    );
    const conversation: ChatMessage[] = [question, { role: 'assistant', content: '', toolCalls }, ...results];
    const answer = await ask(fixture, chat(conversation, { tools, reasoningEffort: 'low' }));
    expect(textOfParts(answer)).toBe('The tools said get_weather: sun 0 and get_weather: sun 1.');
  });

  test('calls the tool that is demanded, any tool, or none', async () => {
    const fixture = await wired(wire);
    const other: Tool = { name: 'other', description: null, parameters: null, strict: null };
    const use = (choice: 'required' | 'none' | { name: string }) =>
      ask(fixture, chat('Hello', { tools: { tools: [other, WEATHER], choice, parallel: null } }));
    expect(callsOf(await use({ name: 'get_weather' }))).toMatchObject([
      { name: 'get_weather', arguments: WEATHER_CALL },
    ]);
    expect(callsOf(await use('required'))).toMatchObject([{ name: 'other', arguments: {} }]);
    expect(textOfParts(await use('none'))).toBe('You said “Hello” 🚂');
  });

  test('sends pictures and files', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', url: `data:image/png;base64,${PNG}`, detail: null },
      {
        type: 'file',
        base64: Buffer.from('%PDF-1.4').toString('base64'),
        mediaType: 'application/pdf',
        name: 'a.pdf',
      },
    ] as const;
    const parts = await ask(await wired(wire), chat([{ role: 'user', content }]));
    const name = wire === 'anthropic' || wire === 'google' ? '' : 'a.pdf ';
    expect(textOfParts(parts)).toBe(`I see image/png ${PNG_BYTES} and ${name}application/pdf 8.`);
  });

  test('sends the address of a picture, where the provider fetches it', async () => {
    const content = [{ type: 'image', url: 'https://example.org/a.png', detail: null }] as const;
    const parts = await ask(await wired(wire), chat([{ role: 'user', content }]));
    if (wire === 'google') {
      expect(errorIn(parts)).toMatchObject({ code: 'unsupported_content', param: 'messages[0].content[0]' });
    } else {
      expect(textOfParts(parts)).toBe('I see https://example.org/a.png.');
    }
  });

  test('answers in the form of a schema', async () => {
    const responseFormat = {
      type: 'json_schema',
      name: 'person',
      description: null,
      schema: PERSON,
      strict: null,
    } as const;
    const parts = await ask(await wired(wire), chat('Somebody', { responseFormat }));
    expect(JSON.parse(textOfParts(parts))).toEqual({ name: 'text', age: 18 });
    expect(finishOf(parts)).toBe('stop');
  });

  test('answers in JSON of any form', async () => {
    const parts = await ask(
      await wired(wire),
      chat('Something', { responseFormat: { type: 'json_object' } }),
    );
    expect(JSON.parse(textOfParts(parts))).toBeTypeOf('object');
    expect(finishOf(parts)).toBe('stop');
  });

  test('says when the vendor held an answer back', async () => {
    expect(finishOf(await ask(await wired(wire), chat('something forbidden')))).toBe('content-filter');
  });

  test('names what is wrong: the model, the length, the key', async () => {
    const fixture = await wired(wire);
    expect(errorIn(await ask(fixture, chat('Hi'), 'no-such-model')).code).toBe('model_not_found');
    expect(errorIn(await ask(fixture, chat('long '.repeat(2000)))).code).toBe('context_length_exceeded');
    const wrong = errorIn(
      await ask(await wired(wire, { apiKey: 'sk-wrong-key', apiKeyFrom: 'CLOUD_KEY' }), chat('Hi')),
    );
    expect(wrong.code).toBe('provider_auth');
    expect(wrong.message).toContain('CLOUD_KEY');
    expect(wrong.message).not.toContain('sk-wrong');
  });
});
