/*
 * Days, weeks and months as the calendar on the wall has them: in the machine's time zone, whatever daylight saving
 * does to their length. A week begins on Monday.
 */

export type PeriodKind = 'day' | 'week' | 'month';

/** From the first moment on, to before the last. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

/** The day, week or month that holds a moment. */
export function periodAt(atMs: number, kind: PeriodKind): Period {
  const at = new Date(atMs);
  const year = at.getFullYear();
  const month = at.getMonth();
  const day = at.getDate();
  switch (kind) {
    case 'day':
      return { startMs: midnight(year, month, day), endMs: midnight(year, month, day + 1) };
    case 'week': {
      const monday = day - ((at.getDay() + 6) % 7);
      return { startMs: midnight(year, month, monday), endMs: midnight(year, month, monday + 7) };
    }
    case 'month':
      return { startMs: midnight(year, month, 1), endMs: midnight(year, month + 1, 1) };
  }
}

/** The days that a stretch of time touches, cut to it, in order. */
export function daysOf(fromMs: number, toMs: number): (Period & { readonly day: string })[] {
  const days: (Period & { readonly day: string })[] = [];
  for (let startMs = fromMs; startMs < toMs; ) {
    const endMs = Math.min(toMs, periodAt(startMs, 'day').endMs);
    days.push({ day: dayText(startMs), startMs, endMs });
    startMs = endMs;
  }
  return days;
}

/** `2026-11-21` */
export function dayText(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
}

/** `2026-11-21 09:05` */
export function momentText(atMs: number): string {
  const at = new Date(atMs);
  return `${dayText(atMs)} ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
}

/** The first moment of a local date; where the clock skips midnight that is later than 00:00. Days may overflow. */
function midnight(year: number, month: number, day: number): number {
  return new Date(year, month, day).getTime();
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
