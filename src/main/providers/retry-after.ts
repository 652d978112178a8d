/** A day: a date that is further away is a mistake, or a clock that is wrong. */
const LONGEST_MS = 24 * 3600 * 1000;

/**
 * How long a provider asks to be left alone, from the headers of its answer: `retry-after-ms` (OpenAI), else
 * `retry-after` in seconds or as an HTTP date (RFC 9110, 10.2.3).
 * @param headers by lower-case name
 * @param nowMs wall time
 * @returns `null` where it does not say, or says nothing that makes sense
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  return (
    within(numberIn(headers['retry-after-ms'])) ??
    within(numberIn(headers['retry-after']), 1000) ??
    within(dateIn(headers['retry-after'], nowMs))
  );
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : null;
}

function dateIn(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}

function within(value: number | null, factor = 1): number | null {
  return value === null ? null : Math.min(Math.ceil(value * factor), LONGEST_MS);
}
