import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { StreamInput } from '../../shared/contract.ts';
import type { StreamPart } from '../../shared/generation.ts';
import type { Transport } from '../transport/transport.ts';
import { createChatStore, isAnswering, tokensPerSecond } from './chat-store.ts';

type Step = StreamPart | { readonly waitMs: number } | 'hang';

const text = (word: string): StreamPart => ({ type: 'text-delta', text: word });
const END: readonly StreamPart[] = [
  { type: 'finish', reason: 'stop' },
  {
    type: 'usage',
    promptTokens: 9,
    cachedTokens: 4,
    cacheWriteTokens: 0,
    completionTokens: 3,
    reasoningTokens: 0,
    prefillMs: 5,
    decodeMs: 60,
  },
];

/** A chat whose answers are scripted, one script for each question. */
function setUp(...scripts: (readonly Step[])[]) {
  const clock = new ManualClock();
  const asked: StreamInput<'chat.generate'>[] = [];
  const transport: Transport = {
    call: () => Promise.reject(new Error('not called here')),
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    locate: () => Promise.reject(new Error('not called here')),
    async *stream(_name, input, signal) {
      asked.push(input);
      for (const step of scripts[asked.length - 1] ?? []) {
        if (signal.aborted) return;
        if (step === 'hang') {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        } else if ('waitMs' in step) {
          clock.advance(step.waitMs);
        } else {
          yield step;
        }
      }
    },
  };
  const store = createChatStore(transport, clock);
  return { store, asked, chat: () => store.getState(), last: () => store.getState().turns.at(-1) };
}

/** Resolves once the last turn has some text. */
function answering(store: ReturnType<typeof setUp>['store']): Promise<void> {
  return new Promise((resolve) => {
    store.subscribe((state) => {
      if (state.turns.at(-1)?.state.status === 'answering') resolve();
    });
  });
}

describe('a question', () => {
  it('collects its answer, the wait for its first text, and what it used', async () => {
    const { chat, last, asked } = setUp([{ waitMs: 46 }, text('Hel'), { waitMs: 20 }, text('lo'), ...END]);
    chat().setModel('tier:low');
    await chat().send('Hi');
    expect(asked[0]).toMatchObject({ model: 'tier:low', messages: [{ role: 'user', content: 'Hi' }] });
    expect(last()).toMatchObject({
      model: 'tier:low',
      answer: 'Hello',
      firstTokenMs: 46,
      state: { status: 'done', reason: 'stop' },
      usage: { promptTokens: 9, cachedTokens: 4, completionTokens: 3 },
    });
  });

  it('carries the conversation so far', async () => {
    const { chat, asked } = setUp([text('one'), ...END], [text('two'), ...END]);
    await chat().send('first');
    await chat().send('second');
    expect(asked[1]?.messages.map((message) => `${message.role}: ${message.content}`)).toEqual([
      'user: first',
      'assistant: one',
      'user: second',
    ]);
  });

  it('leaves out questions without an answer, which many templates refuse', async () => {
    const error = { code: 'model_not_found', message: 'no', param: null, retryAfterMs: null } as const;
    const { chat, asked } = setUp([{ type: 'error', error }], [text('two'), ...END]);
    await chat().send('first');
    await chat().send('second');
    expect(asked[1]?.messages).toEqual([{ role: 'user', content: 'second' }]);
  });

  it('keeps what came before an error', async () => {
    const error = {
      code: 'engine_failed',
      message: 'stopped with signal 9',
      param: null,
      retryAfterMs: null,
    } as const;
    const { chat, last } = setUp([text('Hel'), { type: 'error', error }]);
    await chat().send('Hi');
    expect(last()).toMatchObject({ answer: 'Hel', state: { status: 'failed', error } });
  });

  it('is failed when its stream ends without an end', async () => {
    const { chat, last } = setUp([text('Hel')]);
    await chat().send('Hi');
    expect(last()?.state).toMatchObject({ status: 'failed', error: { code: 'engine_failed' } });
  });

  it('is not asked while another is answered, nor when it is empty', async () => {
    const { store, chat, asked } = setUp([text('Hel'), 'hang']);
    await chat().send('  ');
    const begun = answering(store);
    const first = chat().send('one');
    await begun;
    await chat().send('two');
    expect(asked).toHaveLength(1);
    chat().stop();
    await first;
  });
});

describe('stopping', () => {
  it('keeps the text so far and says that it was stopped', async () => {
    const { store, chat, last } = setUp([text('Hel'), 'hang', text('lo')]);
    const begun = answering(store);
    const sending = chat().send('Hi');
    await begun;
    expect(isAnswering(chat())).toBe(true);
    chat().stop();
    await sending;
    expect(last()).toMatchObject({ answer: 'Hel', state: { status: 'stopped' } });
    expect(isAnswering(chat())).toBe(false);
  });

  it('race: a new chat may ask at once, while the old answer is still being stopped', async () => {
    const { store, chat } = setUp([text('old'), 'hang'], [text('new'), ...END]);
    const begun = answering(store);
    const old = chat().send('one');
    await begun;
    chat().newChat();
    expect(chat().turns).toEqual([]);
    await chat().send('two');
    await old;
    expect(chat().turns.map((turn) => turn.answer)).toEqual(['new']);
  });
});

it('asks the last question again in place of the answer that it got', async () => {
  const { chat, asked } = setUp([text('Hel')], [text('Hello'), ...END]);
  await chat().send('Hi');
  await chat().retry();
  expect(asked.map((input) => input.messages)).toEqual([asked[0]?.messages, asked[0]?.messages]);
  expect(chat().turns.map((turn) => turn.answer)).toEqual(['Hello']);
});

it('does not make up a speed from a single token', () => {
  const usage = {
    promptTokens: 1,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    completionTokens: 50,
    reasoningTokens: 0,
    prefillMs: 1,
    decodeMs: 1_000,
  };
  expect(tokensPerSecond(usage)).toBe(50);
  expect(tokensPerSecond({ ...usage, completionTokens: 1 })).toBeNull();
  expect(tokensPerSecond({ ...usage, decodeMs: 0 })).toBeNull();
});
