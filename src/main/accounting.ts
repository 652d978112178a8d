import type { Clock } from '../shared/clock.ts';
import { type ErrorCode, RoundhouseError } from '../shared/errors.ts';
import type { GenerationRequest, StreamPart, Usage } from '../shared/generation.ts';
import { textOf } from '../shared/generation.ts';
import type { UsageFigures, UsageStatus } from '../shared/usage-contract.ts';
import type { TokenUsage } from './catalog/price.ts';
import type { Embeddings, EmbedOptions, Generation, Timing } from './providers/backend.ts';
import { estimatedTokens } from './providers/token-estimate.ts';
import type { Spending } from './usage/budget-book.ts';
import type { Reservation } from './usage/budgets.ts';
import type { UsageRow } from './usage/usage-row.ts';

/** Where a request goes, and what that costs. */
export interface Destination {
  /** The provider's name; `local` for this machine. */
  readonly provider: string;
  readonly modelId: string;
  generate(request: GenerationRequest, signal: AbortSignal): Generation;
  embed(inputs: readonly string[], options: EmbedOptions, signal: AbortSignal): Promise<Embeddings>;
  /** `null` where no price is known; never zero then. */
  cost(usage: TokenUsage, atMs: number): AnswerCost | null;
  /** The most tokens that an answer can have; `null` where nobody says. */
  readonly maxOutputTokens: number | null;
}

export interface AnswerCost {
  readonly nanoDollars: number;
  /** Of the price that was in force; `null` for what is free. */
  readonly priceVersionId: string | null;
}

/** What led a request there. */
export interface AccountedRoute {
  readonly asked: string;
  readonly reason: string;
}

/** Who asks. */
export interface AccountedCaller {
  readonly requestId: string;
  readonly keyName: string | null;
  readonly user: string | null;
  readonly contentType: string | null;
  readonly streamed: boolean;
}

export interface AccountingPorts {
  readonly clock: Clock;
  /** Never throws and never waits. */
  record(row: UsageRow): void;
  /** @throws RoundhouseError `insufficient_quota` */
  reserve(spending: Spending): Reservation;
  keepsTexts(): boolean;
  /** What is shown of a model may have changed: it has begun to answer, or ended. */
  onChange(): void;
}

/** How the last answer of a model went. */
export interface LastAnswer {
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
}

/**
 * What an answer may cost is reserved with so many tokens where its request names no bound: real bounds of models are
 * tens of times what answers have, and a budget would be full of answers that nobody gets. A longer answer is counted
 * when it has ended.
 */
const USUAL_ANSWER_TOKENS = 4096;

/** Keeps the books of every request: budgets before it, its row after it. One row an answer, with its one try. */
export class Accounting {
  readonly #ports: AccountingPorts;
  readonly #active = new Map<string, number>();
  readonly #last = new Map<string, LastAnswer>();

  constructor(ports: AccountingPorts) {
    this.#ports = ports;
  }

  /** Requests of a model that are under way. */
  activeOf(modelId: string): number {
    return this.#active.get(modelId) ?? 0;
  }

  lastAnswerOf(modelId: string): LastAnswer | null {
    return this.#last.get(modelId) ?? null;
  }

  generate(
    to: Destination,
    route: AccountedRoute,
    request: GenerationRequest,
    signal: AbortSignal,
    caller: AccountedCaller,
  ): Generation {
    const entry = new Entry(this.#ports, to, route, caller);
    let generation: Generation | null = null;
    const timing = (): Timing => generation?.timing() ?? NO_TIME;
    const begin = () => {
      generation = to.generate(request, signal);
      return generation.parts;
    };
    return { parts: this.#parts(entry, to, request, begin, timing), timing };
  }

  async embed(
    to: Destination,
    route: AccountedRoute,
    inputs: readonly string[],
    options: EmbedOptions,
    signal: AbortSignal,
    caller: AccountedCaller,
  ): Promise<Embeddings> {
    const entry = new Entry(this.#ports, to, route, caller);
    const characters = inputs.reduce((sum, input) => sum + input.length, 0);
    this.#begun(to.modelId);
    try {
      entry.reserve(Math.ceil(characters / 4), 0);
      const answer = await to.embed(inputs, options, signal);
      entry.firstToken();
      entry.usage = answer.promptTokens === null ? null : { ...NO_TOKENS, promptTokens: answer.promptTokens };
      entry.ended('ok', null);
      return answer;
    } catch (error) {
      entry.failed(RoundhouseError.from(error).code);
      throw error;
    } finally {
      this.#closed(entry, to, NO_TIME, null);
    }
  }

  async *#parts(
    entry: Entry,
    to: Destination,
    request: GenerationRequest,
    begin: () => AsyncIterable<StreamPart>,
    timing: () => Timing,
  ): AsyncGenerator<StreamPart> {
    const keepsText = this.#ports.keepsTexts();
    let answer = '';
    this.#begun(to.modelId);
    try {
      entry.reserve(estimatedTokens(request), request.maxTokens);
      for await (const part of begin()) {
        switch (part.type) {
          case 'text-delta':
            entry.firstToken();
            if (keepsText) answer += part.text;
            break;
          case 'reasoning-delta':
          case 'tool-call-start':
          case 'tool-call-delta':
            entry.firstToken();
            break;
          case 'finish':
            entry.ended('ok', null);
            break;
          case 'usage':
            entry.usage = part;
            break;
          case 'error':
            entry.failed(part.error.code);
            break;
        }
        yield part;
      }
      entry.atEnd();
    } catch (error) {
      const { code } = RoundhouseError.from(error);
      entry.failed(code);
      yield { type: 'error', error: RoundhouseError.from(error).toJSON() };
    } finally {
      this.#closed(entry, to, timing(), keepsText ? { prompt: promptText(request), answer } : null);
    }
  }

  #begun(modelId: string): void {
    this.#active.set(modelId, this.activeOf(modelId) + 1);
    this.#ports.onChange();
  }

  #closed(entry: Entry, to: Destination, timing: Timing, text: UsageRow['text']): void {
    const active = this.activeOf(to.modelId) - 1;
    if (active > 0) this.#active.set(to.modelId, active);
    else this.#active.delete(to.modelId);
    const answer = entry.close(timing, text);
    if (answer) this.#last.set(to.modelId, answer);
    this.#ports.onChange();
  }
}

/** One request on its way through the books. */
class Entry {
  usage: Usage | null = null;
  readonly #ports: AccountingPorts;
  readonly #to: Destination;
  readonly #route: AccountedRoute;
  readonly #caller: AccountedCaller;
  readonly #arrivedMs: number;
  readonly #atMs: number;
  #reservation: Reservation | null = null;
  #firstTokenMs: number | null = null;
  // Whoever leaves in the middle has cancelled.
  #status: UsageStatus = 'cancelled';
  #errorCode: ErrorCode | null = 'cancelled';
  #isOver = false;

  constructor(ports: AccountingPorts, to: Destination, route: AccountedRoute, caller: AccountedCaller) {
    this.#ports = ports;
    this.#to = to;
    this.#route = route;
    this.#caller = caller;
    this.#arrivedMs = ports.clock.monotonicMs();
    this.#atMs = ports.clock.nowMs();
  }

  /** @throws RoundhouseError `insufficient_quota` */
  reserve(promptTokens: number, maxTokens: number | null): void {
    const { provider, modelId: model, maxOutputTokens } = this.#to;
    const usual = Math.min(maxOutputTokens ?? USUAL_ANSWER_TOKENS, USUAL_ANSWER_TOKENS);
    const completionTokens = Math.min(maxTokens ?? usual, maxOutputTokens ?? Number.POSITIVE_INFINITY);
    const most = { ...NO_TOKENS, promptTokens, completionTokens };
    this.#reservation = this.#ports.reserve({
      atMs: this.#atMs,
      provider,
      model,
      user: this.#caller.user,
      estimateNanoDollars: this.#costOf(most)?.nanoDollars ?? null,
    });
  }

  firstToken(): void {
    this.#firstTokenMs ??= this.#ports.clock.monotonicMs() - this.#arrivedMs;
  }

  ended(status: UsageStatus, errorCode: ErrorCode | null): void {
    this.#isOver = true;
    this.#status = status;
    this.#errorCode = errorCode;
  }

  failed(code: ErrorCode): void {
    this.ended(code === 'cancelled' ? 'cancelled' : 'error', code);
  }

  /** The stream is at its end; one that said nothing of it broke off. */
  atEnd(): void {
    if (!this.#isOver) this.failed('internal_error');
  }

  /** Records the row and settles in one synchronous step. @returns how it went, when it was answered */
  close(timing: Timing, text: UsageRow['text']): LastAnswer | null {
    const { usage } = this;
    const totalMs = this.#ports.clock.monotonicMs() - this.#arrivedMs;
    const cost = usage === null ? null : this.#costOf(usage);
    const firstTokenMs = this.#firstTokenMs;
    const figures: UsageFigures = {
      queueMs: timing.waitMs - timing.loadMs,
      loadMs: timing.loadMs,
      prefillMs: usage?.prefillMs ?? null,
      promptTokens: usage?.promptTokens ?? null,
      cachedTokens: usage?.cachedTokens ?? null,
      cacheWriteTokens: usage?.cacheWriteTokens ?? null,
      completionTokens: usage?.completionTokens ?? null,
      reasoningTokens: usage?.reasoningTokens ?? null,
      firstTokenMs,
      totalMs,
      costNanoDollars: cost?.nanoDollars ?? null,
      priceVersion: cost?.priceVersionId ?? null,
      status: this.#status,
      errorCode: this.#errorCode,
    };
    const tries = this.#reservation === null ? [] : [this.#tryOf(figures)];
    this.#ports.record({
      requestId: this.#caller.requestId,
      atMs: this.#atMs,
      user: this.#caller.user,
      keyName: this.#caller.keyName,
      asked: this.#route.asked,
      route: this.#route.reason,
      contentType: this.#caller.contentType,
      experiment: null,
      arm: null,
      streamed: this.#caller.streamed,
      tries,
      answeredBy: this.#status === 'ok' ? 0 : null,
      firstTokenMs,
      totalMs,
      status: this.#status,
      errorCode: this.#errorCode,
      text,
    });
    this.#reservation?.settle(cost?.nanoDollars ?? null);
    return this.#status === 'ok' ? { firstTokenMs, tokensPerSecond: speedOf(usage) } : null;
  }

  #tryOf(figures: UsageFigures) {
    return { ...figures, provider: this.#to.provider, model: this.#to.modelId };
  }

  #costOf(usage: TokenUsage): AnswerCost | null {
    try {
      return this.#to.cost(usage, this.#atMs);
    } catch {
      // More than millions of dollars: no such answer exists, so somebody counted wrong.
      return null;
    }
  }
}

const NO_TIME: Timing = { waitMs: 0, loadMs: 0, backendMs: 0 };

const NO_TOKENS: Usage = {
  promptTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  prefillMs: 0,
  decodeMs: 0,
};

function speedOf(usage: Usage | null): number | null {
  if (usage === null) return null;
  // The first token comes out of prefill; decoding makes the others.
  const tokens = usage.completionTokens - 1;
  return tokens < 1 || usage.decodeMs <= 0 ? null : (tokens / usage.decodeMs) * 1000;
}

function promptText({ prompt }: GenerationRequest): string {
  switch (prompt.kind) {
    case 'text':
      return prompt.text;
    case 'tokens':
      return prompt.tokens.join(' ');
    case 'chat':
      return prompt.messages.map((message) => `${message.role}: ${textOf(message)}`).join('\n\n');
  }
}
