import type { PressureLevel } from '../../shared/contract.ts';

/*
 * How hard pressed the system is for memory: what single readings mean, and what a row of them comes to.
 */

/** Shares of the last ten seconds, in percent, in which programs stood still for want of memory. */
export interface Stalls {
  /** At least one did. */
  readonly somePercent: number;
  /** All that had something to do did. */
  readonly fullPercent: number;
}

/** The figures of GNOME's low-memory-monitor: a tenth of the time. Much below, a system merely clears its caches. */
const STALLED_PERCENT = 10;
/** Shares of all memory, as earlyoom has them. */
const WARN_SHARE = 0.1;
const CRITICAL_SHARE = 0.05;

/** Longer than one odd reading, shorter than three. */
const RISE_MS = 1000;
/** What was critical a moment ago is so again soon: it has to stay away before anything is started anew. */
const FALL_MS = 30_000;
/** Readings that lie further apart (the machine slept) say nothing of the time between. */
const GAP_MS = 10_000;

export function levelOfStalls({ somePercent, fullPercent }: Stalls): PressureLevel {
  if (fullPercent >= STALLED_PERCENT) return 'critical';
  return somePercent >= STALLED_PERCENT ? 'warn' : 'normal';
}

/** For systems that do not tell how long programs stand still. */
export function levelOfAvailable(availableBytes: number, totalBytes: number): PressureLevel {
  if (availableBytes < CRITICAL_SHARE * totalBytes) return 'critical';
  return availableBytes < WARN_SHARE * totalBytes ? 'warn' : 'normal';
}

/** What the readings until now come to. */
export interface SteadyPressure {
  readonly level: PressureLevel;
  readonly warn: Step;
  readonly critical: Step;
  readonly readMs: number;
}

interface Step {
  readonly reached: boolean;
  /** Since when every reading has said otherwise; `null` while the last one agreed. */
  readonly deniedSinceMs: number | null;
}

const NOT_REACHED: Step = { reached: false, deniedSinceMs: null };

export const CALM: SteadyPressure = {
  level: 'normal',
  warn: NOT_REACHED,
  critical: NOT_REACHED,
  readMs: Number.NEGATIVE_INFINITY,
};

/**
 * Takes one more reading. A level is reached when the readings of a second say so, and left when those of half a minute
 * deny it, so that it does not flap. After a gap counting starts anew: the first reading after a sleep changes nothing.
 */
export function steadied(before: SteadyPressure, read: PressureLevel, nowMs: number): SteadyPressure {
  const afresh = nowMs - before.readMs > GAP_MS;
  const warn = stepped(before.warn, read !== 'normal', nowMs, afresh);
  const critical = stepped(before.critical, read === 'critical', nowMs, afresh);
  const level = critical.reached ? 'critical' : warn.reached ? 'warn' : 'normal';
  return { level, warn, critical, readMs: nowMs };
}

function stepped(step: Step, says: boolean, nowMs: number, afresh: boolean): Step {
  if (says === step.reached) return { reached: step.reached, deniedSinceMs: null };
  const deniedSinceMs = afresh ? nowMs : (step.deniedSinceMs ?? nowMs);
  const isLongEnough = nowMs - deniedSinceMs >= (says ? RISE_MS : FALL_MS);
  return isLongEnough ? { reached: says, deniedSinceMs: null } : { reached: step.reached, deniedSinceMs };
}
