import type {
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import type { RoundhouseError } from '../../shared/errors.ts';
import type { FinishReason, StreamPart, Usage } from '../../shared/generation.ts';

/** What an answer can be wrong in. */
export interface PartErrors {
  /** An error that came as an event. */
  event(error: unknown): RoundhouseError;
  /** The stream ended and the answer had not. */
  cut(): RoundhouseError;
}

interface Call {
  readonly index: number;
  /** Whether any arguments came yet. */
  begun: boolean;
  ended: boolean;
  /** What came while another call was open. */
  readonly held: StreamPart[];
}

/** Makes our parts of those of the AI SDK. For one answer. */
export class SdkParts {
  readonly #errors: PartErrors;
  /** By the vendor's id, in the order in which they began. */
  readonly #calls = new Map<string, Call>();
  /** The call whose parts go out as they come: vendors write several at once, our readers want one after the other. */
  #open: Call | null = null;
  #finished = false;

  constructor(errors: PartErrors) {
    this.#errors = errors;
  }

  /** @throws RoundhouseError when the answer fails */
  take(part: LanguageModelV4StreamPart): readonly StreamPart[] {
    switch (part.type) {
      case 'text-delta':
        return part.delta === '' ? [] : [{ type: 'text-delta', text: part.delta }];
      case 'reasoning-delta':
        return part.delta === '' ? [] : [{ type: 'reasoning-delta', text: part.delta }];
      case 'tool-input-start':
        return this.#start(part.id, part.toolName);
      case 'tool-input-delta':
        return this.#arguments(part.id, part.delta);
      case 'tool-call':
        // Whole calls come again after their pieces, and alone where a vendor sends no pieces.
        return [
          ...this.#start(part.toolCallId, part.toolName),
          ...(this.#calls.get(part.toolCallId)?.begun ? [] : this.#arguments(part.toolCallId, part.input)),
          ...this.#end(part.toolCallId),
        ];
      case 'finish':
        this.#finished = true;
        return [
          ...[...this.#calls.keys()].flatMap((id) => this.#end(id)),
          { type: 'finish', reason: this.#reason(part.finishReason) },
          ...usagePart(part.usage),
        ];
      case 'error':
        throw this.#errors.event(part.error);
      default:
        // Sources, files, metadata: nothing that our answers have a place for.
        return [];
    }
  }

  /** @throws RoundhouseError when there was no finish: a stream that just stops must not look whole */
  end(): void {
    if (!this.#finished) throw this.#errors.cut();
  }

  #start(id: string, name: string): readonly StreamPart[] {
    if (this.#calls.has(id)) return [];
    const call: Call = { index: this.#calls.size, begun: false, ended: false, held: [] };
    this.#calls.set(id, call);
    this.#open ??= call;
    return this.#inTurn(call, { type: 'tool-call-start', index: call.index, id, name });
  }

  #arguments(id: string, text: string): readonly StreamPart[] {
    const call = this.#calls.get(id);
    if (call === undefined || text === '') return [];
    call.begun = true;
    return this.#inTurn(call, { type: 'tool-call-delta', index: call.index, argumentsText: text });
  }

  #inTurn(call: Call, part: StreamPart): readonly StreamPart[] {
    if (call === this.#open) return [part];
    call.held.push(part);
    return [];
  }

  /** Nothing more comes of a call: those behind it that waited for it go out. */
  #end(id: string): readonly StreamPart[] {
    const call = this.#calls.get(id);
    if (call === undefined) return [];
    call.ended = true;
    const out: StreamPart[] = [];
    while (this.#open?.ended) {
      const next = this.#open.index + 1;
      this.#open = [...this.#calls.values()][next] ?? null;
      out.push(...(this.#open?.held.splice(0) ?? []));
    }
    return out;
  }

  #reason({ unified, raw }: LanguageModelV4FinishReason): FinishReason {
    switch (unified) {
      case 'stop':
      case 'length':
      case 'tool-calls':
      case 'content-filter':
        return unified;
      case 'error':
      case 'interrupted':
        throw this.#errors.cut();
      default:
        // A reason that nobody knows is an end all the same; none is a stream that broke off.
        if (raw === undefined) throw this.#errors.cut();
        return this.#calls.size > 0 ? 'tool-calls' : 'stop';
    }
  }
}

/** Nothing where the provider did not count: zero would say that it cost nothing. */
function usagePart({ inputTokens, outputTokens }: LanguageModelV4Usage): readonly StreamPart[] {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return [];
  const promptTokens = inputTokens.total ?? 0;
  const completionTokens = outputTokens.total ?? 0;
  const cachedTokens = Math.min(inputTokens.cacheRead ?? 0, promptTokens);
  const usage: Usage = {
    promptTokens,
    cachedTokens,
    cacheWriteTokens: Math.min(inputTokens.cacheWrite ?? 0, promptTokens - cachedTokens),
    completionTokens,
    reasoningTokens: Math.min(outputTokens.reasoning ?? 0, completionTokens),
    prefillMs: 0,
    decodeMs: 0,
  };
  return [{ type: 'usage', ...usage }];
}
