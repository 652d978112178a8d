import { assertNever } from '../../shared/assert-never.ts';
import type { Book } from './book.ts';
import { idleUnloadAtMs } from './deadlines.ts';
import { decide } from './decide.ts';
import { explain, refusal } from './explain.ts';
import type { ModelEntry } from './model-entry.ts';
import { endOverrun, tellEndOfOverrun } from './overrun.ts';
import { type Urgency, urgencyBehind, WAITING } from './turns.ts';
import type { Candidate } from './victims.ts';
import { NO_ROOM, type Room } from './view.ts';
import {
  inOrderOfTurns,
  isHeldBack,
  lacksModel,
  needsRoom,
  somebodyIsDue,
  urgencyIn,
  waitsSince,
} from './waiting.ts';

/** Brings everything to rest: whatever can be granted, loaded, evicted or rejected now, is. */
export function settle(book: Book): void {
  expireWaiters(book);
  resumeUnneeded(book);
  grant(book);
  drainAsked(book);
  stopDrained(book);
  holdBack(book);
  if (loadWaitedFor(book)) {
    // Who was turned away needs no room any more.
    resumeUnneeded(book);
    grant(book);
  }
  stopIdle(book);
  endOverrun(book);
  forgetRemoved(book);
  tellEndOfOverrun(book);
  keepStandbys(book);
}

function expireWaiters(book: Book): void {
  for (const entry of book.entries.values()) {
    for (const waiter of entry.waiting.values()) {
      const waitedMs = book.nowMs - waiter.arrivedMs;
      if (waitedMs < book.settings.maxWaitMs) break;
      book.leaveLine(waiter.requestId);
      book.reject(waiter.requestId, refusal.waitedTooLong(waitedMs, entry, book.seen()));
    }
  }
}

/** Models that were to make room go on serving when nobody's turn is due any more. */
function resumeUnneeded(book: Book): void {
  for (const entry of book.entries.values()) {
    if (entry.state.status !== 'draining' || book.mustGo(entry)) continue;
    if (entry.pinned || !somebodyIsDue(book)) entry.apply({ type: 'resume' });
  }
}

function grant(book: Book): void {
  for (const entry of book.entries.values()) {
    for (const waiter of entry.waiting.values()) {
      if (waiter.wants !== 'slot' && entry.state.status === 'ready') {
        book.leaveLine(waiter.requestId);
        book.emit({ type: 'done', requestId: waiter.requestId });
      } else if (waiter.wants === 'slot' && book.canGrant(entry)) {
        book.grant(entry, waiter.requestId);
      }
    }
  }
}

function drainAsked(book: Book): void {
  for (const entry of book.entries.values()) {
    if (entry.state.status === 'ready' && book.mustGo(entry)) {
      entry.apply({ type: 'drain', atMs: book.nowMs });
    }
  }
}

function stopDrained(book: Book): void {
  for (const entry of book.entries.values()) {
    if (entry.state.status !== 'draining' || entry.leases.size > 0) continue;
    const why = entry.removed ? 'no longer configured' : entry.unloadAsks.length > 0 ? 'asked to' : 'drained';
    book.stop(entry, explain.unloaded(entry, why));
  }
}

/** Nothing is loaded before it is needed while memory is short. */
function holdBack(book: Book): void {
  for (const entry of book.entries.values()) {
    if (lacksModel(entry) && isHeldBack(book, entry)) tellWhy(book, entry, 'pressure');
  }
}

/**
 * One model after the other. The first whose turn is due is promised the next room; those behind it take what is left,
 * and wait for their turn with the rest.
 * @returns whether some were turned away
 */
function loadWaitedFor(book: Book): boolean {
  const waiting = inOrderOfTurns(book);
  if (waiting.length === 0) return false;
  let rejected = false;
  let situation = book.situation();
  let claimed = NO_ROOM;
  let turnTaken = false;
  for (const entry of waiting) {
    const urgency: Urgency = turnTaken
      ? urgencyBehind(waitsSince(book, entry), book.nowMs)
      : urgencyIn(book, entry);
    const decision = decide(entry, situation, claimed, urgency);
    switch (decision.type) {
      case 'serve':
      case 'join':
        break;
      case 'reject':
        rejected = true;
        book.rejectWaiters(entry, () => decision.error);
        book.explain(entry.id, decision.error.message);
        break;
      case 'load':
        book.load(entry);
        situation = book.situation();
        break;
      case 'evict':
        for (const id of decision.victims) evict(book, id, entry);
        situation = book.situation();
        // A place is free at once, and memory may have been all along: then nothing need wait for the victim's end.
        if (decide(entry, situation, claimed, WAITING).type === 'load') {
          book.load(entry);
          situation = book.situation();
        } else {
          claimed = withClaim(claimed, entry);
          turnTaken ||= urgency.kind === 'due';
        }
        break;
      case 'queue':
        if (decision.why === 'pinned') refuseBesidePinned(book, entry);
        if (decision.why === 'estimate') book.estimate(entry);
        if (decision.why === 'system') tellWhy(book, entry, 'system');
        if (decision.why === 'memory') claimed = withClaim(claimed, entry);
        // Of what is free, one that waits for busy models to end holds only what those will not give: others may go on.
        if (decision.why === 'victim' && urgency.kind === 'due') {
          claimed = withClaim(claimed, entry, situation.replaceable);
        }
        turnTaken ||= urgency.kind === 'due' && (decision.why === 'memory' || decision.why === 'victim');
        break;
      default:
        assertNever(decision);
    }
  }
  return rejected;
}

function tellWhy(book: Book, entry: ModelEntry, why: 'system' | 'pressure'): void {
  if (entry.toldWhy === why) return;
  entry.toldWhy = why;
  const text =
    why === 'system'
      ? explain.heldByOthers(entry, book.seen())
      : explain.notAhead(entry.id, book.pressure.level, book.seen());
  book.explain(entry.id, text);
}

/** Waiting would not help: what is pinned does not go. */
function refuseBesidePinned(book: Book, entry: ModelEntry): void {
  const pinned = [...book.entries.values()].filter((other) => other.pinned && other.lineBytes > 0);
  const error = refusal.besidePinned(entry, pinned, book.settings);
  book.rejectWaiters(entry, () => error);
  book.explain(entry.id, explain.loadFailed(entry.id, error));
}

function evict(book: Book, victimId: string, forModel: ModelEntry): void {
  const victim = book.entries.get(victimId);
  if (!victim) return;
  book.evictions += 1;
  if (victim.leases.size === 0) {
    const idleMs = book.nowMs - victim.lastUsedMs;
    const reloadMs = book.loadTimes.of(victim.id, victim.lineBytes);
    return book.stop(victim, explain.evicted(victim, forModel, book.seen(), { idleMs, reloadMs }));
  }
  victim.apply({ type: 'drain', atMs: book.nowMs });
  book.explain(victim.id, explain.draining(victim, forModel, book.seen()));
}

function stopIdle(book: Book): void {
  for (const entry of book.entries.values()) {
    const atMs = idleUnloadAtMs(entry);
    if (atMs !== null && book.nowMs >= atMs) book.stop(entry, explain.idle(entry, book.nowMs));
  }
}

function forgetRemoved(book: Book): void {
  for (const entry of book.entries.values()) {
    if (!entry.removed) continue;
    if (entry.state.status === 'loading') book.stop(entry, explain.unloaded(entry, 'no longer configured'));
    if (entry.state.status === 'unloaded' || entry.state.status === 'failed') book.forget(entry);
  }
}

/**
 * Standbys are started when nobody waits for room and nothing is on its way out: a model that stops may leave one behind.
 * Not later, because the next swap may follow at once.
 */
function keepStandbys(book: Book): void {
  const { wantedStandbys, settings } = book;
  while (book.standbys > wantedStandbys) book.stopStandby();
  if (needsRoom(book) || isStandbyUntimely(book)) return;
  while (book.standbys < wantedStandbys && book.freeBytes >= settings.standbyBytes) {
    book.startStandby();
  }
}

/** An engine is on its way out, or loads for the second time because memory ran out: it gets all there is. */
function isStandbyUntimely(book: Book): boolean {
  return [...book.entries.values()].some(({ state, ranOutOfMemory }) => {
    return state.status === 'stopping' || (state.status === 'loading' && ranOutOfMemory);
  });
}

function withClaim(claimed: Room, entry: ModelEntry, fromOthers: readonly Candidate[] = []): Room {
  const othersBytes = fromOthers.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bytes: claimed.bytes + Math.max(0, (entry.neededBytes ?? 0) - othersBytes),
    models: claimed.models + (fromOthers.length > 0 ? 0 : 1),
  };
}
