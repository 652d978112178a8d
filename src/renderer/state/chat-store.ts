import { createStore, type StoreApi } from 'zustand/vanilla';
import { assertNever } from '../../shared/assert-never.ts';
import type { Clock } from '../../shared/clock.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { FinishReason, StreamPart, TextMessage, Usage } from '../../shared/generation.ts';
import type { Transport } from '../transport/transport.ts';

/** How a turn stands. `waiting` has no text yet, `answering` has some. */
export type TurnState =
  | { readonly status: 'waiting' }
  | { readonly status: 'answering' }
  | { readonly status: 'done'; readonly reason: FinishReason }
  | { readonly status: 'stopped' }
  | { readonly status: 'failed'; readonly error: ErrorJson };

/** One question with its answer. */
export interface Turn {
  readonly id: number;
  /** The name that was asked: a model, a tier or `auto`. */
  readonly model: string;
  readonly question: string;
  readonly answer: string;
  readonly state: TurnState;
  /** From sending to the first text on this page; `null` before it. */
  readonly firstTokenMs: number | null;
  readonly usage: Usage | null;
}

export interface ChatState {
  readonly model: string;
  readonly turns: readonly Turn[];
  setModel(model: string): void;
  /** Does nothing while an answer is under way or when there is nothing to ask. */
  send(question: string): Promise<void>;
  /** Asks the last question again, in place of the answer that it got. */
  retry(): Promise<void>;
  stop(): void;
  newChat(): void;
}

export type ChatStore = StoreApi<ChatState>;

export function createChatStore(transport: Transport, clock: Clock): ChatStore {
  return createStore<ChatState>((set, get) => {
    let current: AbortController | null = null;
    let nextId = 1;

    const change = (id: number, update: (turn: Turn) => Turn) =>
      set((state) => ({ turns: state.turns.map((turn) => (turn.id === id ? update(turn) : turn)) }));

    return {
      model: 'auto',
      turns: [],
      setModel: (model) => set({ model }),
      stop: () => current?.abort(),
      newChat() {
        current?.abort();
        current = null;
        set({ turns: [] });
      },

      async retry() {
        const last = get().turns.at(-1);
        if (last === undefined || isAnswering(get())) return;
        set((state) => ({ turns: state.turns.slice(0, -1) }));
        await get().send(last.question);
      },

      async send(question) {
        if (isAnswering(get()) || question.trim() === '') return;
        const abort = new AbortController();
        current = abort;
        const { model, turns } = get();
        const turn: Turn = {
          id: nextId++,
          model,
          question,
          answer: '',
          state: { status: 'waiting' },
          firstTokenMs: null,
          usage: null,
        };
        set({ turns: [...turns, turn] });
        const sentAtMs = clock.monotonicMs();
        const input = { model, messages: messagesOf(turns, question), maxTokens: null, sampling: {} };
        try {
          for await (const part of transport.stream('chat.generate', input, abort.signal)) {
            const waitedMs = clock.monotonicMs() - sentAtMs;
            change(turn.id, (before) => applyPart(before, part, waitedMs));
          }
          change(turn.id, (before) => endTurn(before, abort.signal.aborted));
        } catch (thrown) {
          const error = RoundhouseError.from(thrown).toJSON();
          change(turn.id, (before) => ({ ...before, state: { status: 'failed', error } }));
        } finally {
          // A new chat may already have begun its own answer.
          if (current === abort) current = null;
        }
      },
    };
  });
}

/** Whether an answer is under way. */
export function isAnswering(state: ChatState): boolean {
  const last = state.turns.at(-1)?.state.status;
  return last === 'waiting' || last === 'answering';
}

/**
 * What the model is told: each question that was answered, its answer, then the new one. A question without an answer
 * is left out, because many templates refuse two messages of one side in a row.
 */
export function messagesOf(turns: readonly Turn[], question: string): TextMessage[] {
  const answered = turns.filter((turn) => turn.answer !== '');
  return [
    ...answered.flatMap((turn): TextMessage[] => [
      { role: 'user', content: turn.question },
      { role: 'assistant', content: turn.answer },
    ]),
    { role: 'user', content: question },
  ];
}

/** The turn after one part of the stream that came `waitedMs` after the question was sent. */
export function applyPart(turn: Turn, part: StreamPart, waitedMs: number): Turn {
  switch (part.type) {
    case 'text-delta':
      if (part.text === '') return turn;
      return {
        ...turn,
        answer: turn.answer + part.text,
        state: { status: 'answering' },
        firstTokenMs: turn.firstTokenMs ?? waitedMs,
      };
    // Thinking is not shown, and the interface offers no tools.
    case 'reasoning-delta':
    case 'tool-call-start':
    case 'tool-call-delta':
      return turn;
    case 'finish':
      return { ...turn, state: { status: 'done', reason: part.reason } };
    case 'usage': {
      const { type: _, ...usage } = part;
      return { ...turn, usage };
    }
    case 'error':
      return { ...turn, state: { status: 'failed', error: part.error } };
    default:
      return assertNever(part);
  }
}

/** The stream is over: a turn that was not finished by a part was stopped, or lost its end. */
function endTurn(turn: Turn, aborted: boolean): Turn {
  if (turn.state.status === 'done' || turn.state.status === 'failed') return turn;
  if (aborted) return { ...turn, state: { status: 'stopped' } };
  const error = new RoundhouseError('engine_failed', 'The answer broke off before its end. Try again.');
  return { ...turn, state: { status: 'failed', error: error.toJSON() } };
}

/** Tokens a second while decoding; `null` where too little was generated to say. */
export function tokensPerSecond(usage: Usage): number | null {
  if (usage.completionTokens < 2 || usage.decodeMs <= 0) return null;
  return usage.completionTokens / (usage.decodeMs / 1000);
}
