import { z } from 'zod';
import { says, text } from '../../shared/config-fields.ts';

/*
 * The kinds of value that catalog files have beyond those of models.yaml.
 */

export function day() {
  return z.iso.date({ error: says('a day', 'it as 2026-11-21') });
}

export function words(max: number, what: string) {
  return text(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${max}}$`, 'u'), what, `up to ${max} printable characters`);
}

/** Longer text: of several lines, too. */
export function prose() {
  const error = says('text', 'up to 2000 characters');
  return z.string({ error }).max(2000, { error });
}

const PRICE = /^(\d{1,5})(?:\.(\d{1,9}))?$/;

/** Dollars for a million tokens. Output: nano-dollars, exactly. */
export function price() {
  const error = says('a price', 'dollars for a million tokens, such as "2.50"');
  return z.union([z.string(), z.number()], { error }).transform((value, context) => {
    const match = PRICE.exec(String(value));
    if (match) return Number(match[1]) * 1e9 + Number((match[2] ?? '').padEnd(9, '0'));
    context.issues.push({ code: 'custom', message: error({ input: value }), input: value });
    return z.NEVER;
  });
}

const MINUTE = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** A time of the day, UTC. Output: minutes since midnight. */
export function minuteOfDay() {
  return text(MINUTE, 'a time of the day', 'hours and minutes in UTC, such as "16:30"').transform((value) => {
    const [hours, minutes] = value.split(':');
    return Number(hours) * 60 + Number(minutes);
  });
}
