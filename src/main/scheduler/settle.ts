import { assertNever } from '../../shared/assert-never.ts';
import type { Book } from './book.ts';
import { decide } from './decide.ts';
import { explain, refusal } from './explain.ts';
import type { ModelEntry } from './model-entry.ts';
import {
  heldUntilMs,
  patientUntilMs,
  turnMs,
  type Urgency,
  urgencyBehind,
  urgencyOf,
  WAITING,
} from './turns.ts';
import { type Candidate, chooseVictims } from './victims.ts';
import { NO_ROOM, type Room } from './view.ts';

/** Brings everything to rest: whatever can be granted, loaded, evicted or rejected now, is. */
export function settle(book: Book): void {
  expireWaiters(book);
  resumeUnneeded(book);
  grant(book);
  drainAsked(book);
  stopDrained(book);
  loadWaitedFor(book);
  stopIdle(book);
  forgetRemoved(book);
  keepStandbys(book);
}

function expireWaiters(book: Book): void {
  for (const entry of book.entries.values()) {
    for (const waiter of entry.waiting.values()) {
      const waitedMs = book.nowMs - waiter.arrivedMs;
      if (waitedMs < book.settings.maxWaitMs) break;
      book.leaveLine(waiter.requestId);
      book.reject(waiter.requestId, refusal.waitedTooLong(entry.id, waitedMs, entry));
    }
  }
}

/** Models that were to make room go on serving when nobody needs the room any more. */
function resumeUnneeded(book: Book): void {
  if (needsRoom(book)) return;
  for (const entry of book.entries.values()) {
    if (entry.state.status === 'draining' && !book.mustGo(entry)) entry.apply({ type: 'resume' });
  }
}

function grant(book: Book): void {
  for (const entry of book.entries.values()) {
    for (const waiter of entry.waiting.values()) {
      if (waiter.wants === 'resident' && entry.state.status === 'ready') {
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

/**
 * One model after the other. The first whose turn is due is promised the next room; those behind it take what is left,
 * and wait for their turn with the rest.
 */
function loadWaitedFor(book: Book): void {
  const waiting = inOrderOfTurns(book);
  if (waiting.length === 0) return;
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
        if (decision.why === 'estimate') book.estimate(entry);
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
}

function evict(book: Book, victimId: string, forModel: ModelEntry): void {
  const victim = book.entries.get(victimId);
  if (!victim) return;
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
  // A lowered budget, or growth beyond what was predicted: idle models go until the budget holds again.
  if (book.ledger.freeBytes >= 0) return;
  const { idle, coming, view } = book.situation();
  const overBytes = -book.ledger.freeBytes - coming.bytes;
  if (overBytes <= 0) return;
  const victims = chooseVictims(idle, { bytes: overBytes, models: 0 }, view.eviction);
  for (const id of victims?.ids ?? idle.map((candidate) => candidate.id)) {
    const entry = book.entries.get(id);
    if (entry) book.stop(entry, explain.overBudget(entry, overBytes, book.settings));
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
  const { standbyEngines, standbyBytes } = book.settings;
  while (book.standbys > standbyEngines) {
    book.setStandbys(book.standbys - 1);
    book.emit({ type: 'stopStandby' });
  }
  if (needsRoom(book) || isStopping(book)) return;
  while (book.standbys < standbyEngines && book.ledger.freeBytes >= standbyBytes) {
    book.setStandbys(book.standbys + 1);
    book.emit({ type: 'startStandby' });
  }
}

/** When something is due although nothing happens: a wait too long, an idle model, an end of backoff. */
export function nextDeadlineMs(book: Book): number | null {
  const deadlines: number[] = [];
  const roomNeeded = needsRoom(book);
  const boundMs = book.waitBoundMs;
  for (const entry of book.entries.values()) {
    const { oldestArrivalMs, waitsSinceMs } = entry;
    if (oldestArrivalMs !== null && waitsSinceMs !== null) {
      deadlines.push(oldestArrivalMs + book.settings.maxWaitMs, entry.notBeforeMs);
      deadlines.push(
        waitsSinceMs + boundMs,
        patientUntilMs(waitsSinceMs, boundMs),
        heldUntilMs(waitsSinceMs),
      );
    }
    deadlines.push(idleUnloadAtMs(entry) ?? 0);
    if (roomNeeded && entry.state.status === 'ready') {
      const { sinceMs } = entry.state;
      const loadMs = book.loadTimes.of(entry.id, entry.lineBytes);
      deadlines.push(sinceMs + book.settings.minResidencyMs, sinceMs + turnMs(loadMs));
    }
  }
  const future = deadlines.filter((ms) => ms > book.nowMs);
  return future.length === 0 ? null : Math.min(...future);
}

/** Monotonic time at which the model is unloaded if nobody asks for it; `null` while it is not going to be. */
export function idleUnloadAtMs(entry: Readonly<ModelEntry>): number | null {
  const { idleUnloadMs } = entry.spec;
  if (entry.state.status !== 'ready' || entry.pinned || idleUnloadMs === null) return null;
  return entry.leases.size > 0 || entry.waiters > 0 ? null : entry.lastUsedMs + idleUnloadMs;
}

/**
 * Who waits for a load: first the one whose turn comes first, if it is due; then those that serve the most requests for
 * the bytes they load.
 */
function inOrderOfTurns(book: Book): ModelEntry[] {
  const waiting: ModelEntry[] = [];
  for (const entry of book.entries.values()) {
    const { status } = entry.state;
    if (entry.waiters > 0 && (status === 'unloaded' || status === 'failed')) waiting.push(entry);
  }
  if (waiting.length < 2) return waiting;
  const bytesPerRequest = (entry: ModelEntry) => (entry.neededBytes ?? 0) / entry.waiters;
  const turnOf = (entry: ModelEntry) => entry.waitsSinceMs ?? Number.POSITIVE_INFINITY;
  waiting.sort((a, b) => bytesPerRequest(a) - bytesPerRequest(b) || turnOf(a) - turnOf(b));
  const next = waiting.reduce((first, entry) => (turnOf(entry) < turnOf(first) ? entry : first));
  if (urgencyIn(book, next).kind !== 'due') return waiting;
  return [next, ...waiting.filter((entry) => entry !== next)];
}

function urgencyIn(book: Book, entry: ModelEntry): Urgency {
  return urgencyOf(waitsSince(book, entry), book.waitBoundMs, book.nowMs);
}

function waitsSince(book: Book, { waitsSinceMs }: ModelEntry): number {
  return waitsSinceMs ?? book.nowMs;
}

/** Somebody waits for a model that is neither here nor on its way. */
function needsRoom(book: Book): boolean {
  return [...book.entries.values()].some(
    ({ waiters, state }) =>
      waiters > 0 &&
      (state.status === 'unloaded' || state.status === 'failed' || state.status === 'stopping'),
  );
}

function isStopping(book: Book): boolean {
  return [...book.entries.values()].some(({ state }) => state.status === 'stopping');
}

function withClaim(claimed: Room, entry: ModelEntry, fromOthers: readonly Candidate[] = []): Room {
  const othersBytes = fromOthers.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bytes: claimed.bytes + Math.max(0, (entry.neededBytes ?? 0) - othersBytes),
    models: claimed.models + (fromOthers.length > 0 ? 0 : 1),
  };
}
