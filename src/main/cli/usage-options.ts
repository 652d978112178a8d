import { parseDurationMs } from '../../shared/units.ts';
import { COST_KEYS, type CostKey } from '../../shared/usage-contract.ts';

/** The options of `roundhouse usage`. */
export const USAGE_OPTIONS = {
  by: { type: 'string' },
  since: { type: 'string' },
  csv: { type: 'string' },
} as const;

/** What `roundhouse usage --help` says of them. */
export const USAGE_OPTION_HELP = [
  ['--by WHAT', `one line for each of: day (as without it), ${COST_KEYS.join(', ')}`],
  ['--since TIME', 'how far to look back, such as 24h or 7d; 30d without it'],
  ['--csv FILE', 'write the table into a file (- = print it); without --by, every request'],
] as const;

export interface UsageChoice {
  /** `null` = not said: days, and with `csv` every request. */
  readonly by: 'day' | CostKey | null;
  readonly sinceMs: number;
  /** A path, `-` for standard output, `null` for a table in words. */
  readonly csv: string | null;
}

const DAY_MS = 86_400e3;
const USUAL_DAYS = 30;
/** The app sums no more than that. */
const MOST_DAYS = 400;

/**
 * What the options say.
 * @param text the value of an option; `null` when it is not there
 * @returns or, as a string, what is wrong with one of them
 */
export function readUsageOptions(
  text: (option: keyof typeof USAGE_OPTIONS) => string | null,
): UsageChoice | string {
  const by = text('by');
  const known = by === null ? null : (['day', ...COST_KEYS] as const).find((one) => one === by);
  if (known === undefined) return `--by: "${by}" is not one of day, ${COST_KEYS.join(', ')}`;
  const since = text('since');
  const sinceMs = since === null ? USUAL_DAYS * DAY_MS : parseDurationMs(since);
  if (sinceMs === null || sinceMs <= 0)
    return `--since: "${since}" is not a time; write one such as 24h or 7d`;
  if (sinceMs > MOST_DAYS * DAY_MS)
    return `--since: "${since}" is more than the ${MOST_DAYS} days that are summed at once`;
  return { by: known, sinceMs, csv: text('csv') };
}
