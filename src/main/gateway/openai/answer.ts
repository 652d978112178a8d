import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import type { FinishReason, StreamPart } from '../../../shared/generation.ts';
import { hasOverheadHeader, setOverheadHeader, setRouteHeader } from '../headers.ts';
import { type IndexedPart, mergeParts } from '../merge-parts.ts';
import type { GatewayPorts, Generation, Route } from '../ports.ts';
import type { ErrorSender } from '../send-error.ts';
import { SseStream } from '../sse.ts';
import { callerOf } from './caller.ts';
import type { Asked } from './chat-request.ts';
import { ChoiceBuilder, type ChoiceContent } from './choice-builder.ts';
import { type Delta, UsageTally, type WireUsage } from './usage-tally.ts';

/** A stream's headers go out with its first part, or after this long; then it says as often that it is waiting. */
const WAITING_MS = 10_000;
/** Choices of one request that run at once. */
const PARALLEL = 16;

/** One choice of a whole answer. */
export interface Choice extends ChoiceContent {
  readonly reason: FinishReason;
}

/** How an endpoint writes an answer. What it gives goes out as JSON. */
export interface AnswerFormat {
  /** Comes before the first delta of a choice; `null` for nothing. */
  opening(index: number): object | null;
  /** `null` for what this endpoint has no words for. */
  delta(index: number, delta: Delta): object | null;
  finish(index: number, reason: FinishReason): object;
  usage(usage: WireUsage): object;
  /** `null` usage = nobody counted. */
  whole(choices: readonly Choice[], usage: WireUsage | null): object;
}

export interface AnswerPorts {
  readonly ports: Pick<GatewayPorts, 'generate'>;
  readonly clock: Clock;
  readonly errors: ErrorSender;
}

/** One answer being generated. */
interface Run {
  readonly parts: AsyncIterable<IndexedPart>;
  readonly tally: UsageTally;
  readonly signal: AbortSignal;
  readonly format: AnswerFormat;
  /** To be called before anything of a part is sent: the headers tell of the choice that spoke first. */
  noteTime(index: number): void;
}

/**
 * Generates what was asked for, each choice on the same route, and writes it as `format` says: a whole answer is
 * returned, a streamed one has been sent. Throws while nothing has been sent; after that a failure ends the stream.
 */
export async function answer(
  { ports, clock, errors }: AnswerPorts,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Asked,
  route: Route,
  format: AnswerFormat,
): Promise<object | undefined> {
  const { exchange } = request;
  const caller = callerOf(request, asked.origin);
  const failed = new AbortController();
  const signal = AbortSignal.any([exchange.signal, failed.signal]);
  const generations: Generation[] = [];
  const start = (index: number): AsyncIterable<StreamPart> => {
    const generationRequest = asked.requests[index];
    if (generationRequest === undefined) throw new Error(`there is no choice ${index}`);
    const generation = ports.generate(route, generationRequest, signal, caller);
    generations[index] = generation;
    exchange.generation ??= generation;
    return generation.parts;
  };
  const run: Run = {
    parts: mergeParts(asked.requests.length, PARALLEL, start, signal),
    tally: new UsageTally(asked.requests.length, asked.choicesPerPrompt),
    signal,
    format,
    noteTime(index) {
      if (hasOverheadHeader(reply)) return;
      exchange.generation = generations[index] ?? null;
      setOverheadHeader(reply, exchange);
    },
  };

  setRouteHeader(reply, route);
  const sse = asked.stream ? new SseStream(reply, clock) : null;
  try {
    if (sse === null) return await collect(run);
    await stream(run, sse, clock, asked.includeUsage);
    return undefined;
  } catch (error) {
    failed.abort(error);
    if (!sse?.committed) throw error;
    sse.fail(errors.body(error, request));
    return undefined;
  }
}

async function collect({ parts, tally, signal, format, noteTime }: Run): Promise<object> {
  const builders = new Map<number, ChoiceBuilder>();
  for await (const { index, part } of parts) {
    const news = tally.take(index, part);
    noteTime(index);
    if (news.type === 'nothing' || news.type === 'finish') continue;
    const builder = builders.get(index) ?? new ChoiceBuilder();
    builders.set(index, builder);
    builder.add(news);
  }
  signal.throwIfAborted();
  const choices = tally.reasons().map((reason, index) => {
    const content = (builders.get(index) ?? new ChoiceBuilder()).content();
    return { ...content, reason };
  });
  return format.whole(choices, tally.usage());
}

async function stream(
  { parts, tally, signal, format, noteTime }: Run,
  sse: SseStream,
  clock: Clock,
  includeUsage: boolean,
): Promise<void> {
  const opened = new Set<number>();
  using waiting = clock.every(WAITING_MS, () => {
    noteTime(0);
    sse.commit();
    sse.comment('waiting');
  });
  for await (const { index, part } of parts) {
    const news = tally.take(index, part);
    waiting[Symbol.dispose]();
    noteTime(index);
    sse.commit();
    if (!opened.has(index)) {
      opened.add(index);
      const opening = format.opening(index);
      if (opening !== null) await sse.send(opening);
    }
    if (news.type === 'nothing') continue;
    const event = news.type === 'finish' ? format.finish(index, news.reason) : format.delta(index, news);
    if (event !== null) await sse.send(event);
  }
  signal.throwIfAborted();
  tally.reasons();
  const usage = includeUsage ? tally.usage() : null;
  if (usage !== null) await sse.send(format.usage(usage));
  await sse.send('[DONE]');
  sse.end();
}
