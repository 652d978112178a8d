/** Over how many requests popularity is averaged: the shorter, the quicker it follows, and the less it knows. */
const SPANS = [32, 128, 512] as const;
/** What a model that a span has not seen counts for, so that a first request does not end all trust in that span. */
const UNSEEN = 0.5;
/** How much trust is spread anew with each request, so that a span can win it back when habits change. */
const SPREAD = 0.01;
const RESCALE_ABOVE = 1e100;

/** Exponentially weighted counts. Instead of making all counts smaller with each request, the next one counts more. */
interface Span {
  readonly growth: number;
  next: number;
  total: number;
  trust: number;
  readonly counts: Map<string, number>;
}

/**
 * How likely each model is to be the next one that is asked for: the exponentially weighted share that it had of the
 * requests until now. Several spans are averaged, and those count most that foresaw the latest requests best. A model
 * that is not asked for any more fades with each request for another.
 */
export class Demand {
  readonly #spans: readonly Span[] = SPANS.map((requests) => ({
    growth: 1 / (1 - 1 / requests),
    next: 1,
    total: 0,
    trust: 1 / SPANS.length,
    counts: new Map(),
  }));

  asked(modelId: string): void {
    let trusted = 0;
    for (const span of this.#spans) {
      span.trust *= foreseen(span, modelId);
      trusted += span.trust;
    }
    for (const span of this.#spans) {
      span.trust = (1 - SPREAD) * (span.trust / trusted) + SPREAD / SPANS.length;
      count(span, modelId);
    }
  }

  /** From 0 (never asked for, or long ago) to 1 (nothing else is). */
  shareOf(modelId: string): number {
    let share = 0;
    for (const { counts, total, trust } of this.#spans) {
      if (total > 0) share += (trust * (counts.get(modelId) ?? 0)) / total;
    }
    return share;
  }

  forget(modelId: string): void {
    for (const span of this.#spans) {
      span.total -= span.counts.get(modelId) ?? 0;
      span.counts.delete(modelId);
    }
  }
}

function foreseen({ counts, next, total }: Span, modelId: string): number {
  return ((counts.get(modelId) ?? 0) / next + UNSEEN) / (total / next + UNSEEN * (counts.size + 1));
}

function count(span: Span, modelId: string): void {
  span.next *= span.growth;
  span.counts.set(modelId, (span.counts.get(modelId) ?? 0) + span.next);
  span.total += span.next;
  if (span.next < RESCALE_ABOVE) return;
  span.total = 0;
  for (const [id, weight] of span.counts) {
    span.counts.set(id, weight / span.next);
    span.total += weight / span.next;
  }
  span.next = 1;
}
