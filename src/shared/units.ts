const KIB = 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: KIB,
  MiB: KIB ** 2,
  GiB: KIB ** 3,
  TiB: KIB ** 4,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86_400e3,
};

/**
 * Reads a size such as `512MiB`, `1.5 GiB` or a bare number of bytes.
 * @returns whole bytes, or `null` when the text is not a finite, non-negative size
 */
export function parseSizeBytes(text: string): number | null {
  return parseQuantity(text, SIZE_UNITS, 'B');
}

/**
 * Reads a duration such as `50ms`, `10s`, `5m`, `1h` or `90d`. A bare number is refused, except `0`.
 * @returns whole milliseconds, or `null` when the text is not a finite, non-negative duration
 */
export function parseDurationMs(text: string): number | null {
  return parseQuantity(text, DURATION_UNITS, text.trim() === '0' ? 'ms' : null);
}

/** Reads `60%` as 0.6; `null` when the text is not a share between 0 and 100 percent. */
export function parsePercent(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  if (!match?.[1]) return null;
  const percent = Number(match[1]);
  return percent <= 100 ? percent / 100 : null;
}

/** Writes bytes as people compare them: `0 B`, `940 KiB`, `2.4 MiB`, `18.0 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < KIB) return `${Math.round(bytes)} B`;
  if (bytes < KIB ** 2) return `${Math.round(bytes / KIB)} KiB`;
  if (bytes < KIB ** 3) return `${(bytes / KIB ** 2).toFixed(bytes < 10 * KIB ** 2 ? 1 : 0)} MiB`;
  return `${(bytes / KIB ** 3).toFixed(1)} GiB`;
}

/** Writes a duration with at most two units: `12 ms`, `1.4 s`, `6 m 12 s`, `3 h 5 m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return withRest(minutes, 'm', seconds % 60, 's');
  return withRest(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
}

function withRest(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}

function parseQuantity(
  text: string,
  units: Readonly<Record<string, number>>,
  bareUnit: string | null,
): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  if (!match?.[1]) return null;
  const unit = match[2] || bareUnit;
  const factor = unit === null ? undefined : units[unit];
  if (factor === undefined) return null;
  const value = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(value) ? value : null;
}
