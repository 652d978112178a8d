import { formatBytes, formatDuration } from '../../shared/units.ts';

/** Numbers as the page shows them. `–` stands for what is not known yet. */
export const UNKNOWN = '–';

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `8,192` */
export function formatCount(count: number): string {
  return WHOLE.format(count);
}

/** `41 tok/s`, with a decimal where that says more: `4.2 tok/s`. */
export function formatSpeed(tokensPerSecond: number | null): string {
  if (tokensPerSecond === null) return UNKNOWN;
  const digits = tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : formatCount(tokensPerSecond);
  return `${digits} tok/s`;
}

/** A latency; unlike a span of time it keeps a decimal below 10 ms: `4.2 ms`, `46 ms`, `1.4 s`. */
export function formatLatency(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatDuration(ms);
}

export function formatMemory(bytes: number | null): string {
  return bytes === null ? UNKNOWN : formatBytes(bytes);
}

/** `62 %`, never 100 before it is done. */
export function formatProgress(share: number): string {
  return `${Math.min(99, Math.floor(share * 100))} %`;
}

/** How long until `atMs`, in whole seconds, `0 s` once it has passed: `6 m 12 s`. */
export function formatCountdown(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.ceil((atMs - nowMs) / 1000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

/** How long ago `atMs` was, in one unit: `now`, `9 s`, `2 m`, `3 h`, `4 d`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - atMs) / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** How long until `atMs`, in one unit: `now`, `9 s`, `2 m`, `3 h`, `4 d`. */
export function formatAhead(atMs: number, nowMs: number): string {
  return formatAgo(nowMs, atMs);
}

/** `1.2 M`, `340 k`, and small numbers whole: to be compared, not added. */
export function formatShortCount(count: number): string {
  return SHORT.format(count).replace(/([KM])$/, (unit) => ` ${unit === 'K' ? 'k' : unit}`);
}

const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** The moment itself, in the reader's own zone and form, for hovering. */
export function formatExactTime(atMs: number): string {
  return EXACT.format(atMs);
}

/** `1 model`, `2 models` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** How many weights a model has, as people call it: `8.2 B`, `135 M`. */
export function formatParameters(count: number): string {
  const [value, unit] =
    count >= 1e9 ? [count / 1e9, 'B'] : count >= 1e6 ? [count / 1e6, 'M'] : [count / 1e3, 'k'];
  return `${value < 10 ? value.toFixed(1) : formatCount(value)} ${unit}`;
}

/** A size that stands beside `other`: without its unit where that is the same, `6.9` beside `7.0 GiB`. */
export function formatMemoryBeside(bytes: number, other: number | null): string {
  const [value = '', unit] = formatMemory(bytes).split(' ');
  return formatMemory(other).endsWith(` ${unit}`) ? value : `${value} ${unit}`;
}

/** A size of a context as people compare them: `8k`, `200k`, `1M`; to the token where that is said beside it. */
export function formatContext(tokens: number): string {
  if (tokens < 1_000) return formatCount(tokens);
  if (tokens >= 1_000_000) return `${(Math.floor(tokens / 100_000) / 10).toString()}M`;
  // Powers of two are called by their own thousands: 8,192 is 8k, 131,072 is 128k.
  return `${formatCount(Math.floor(tokens / (tokens % 1024 === 0 ? 1024 : 1000)))}k`;
}
