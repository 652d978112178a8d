import { assertNever } from '../../shared/assert-never.ts';
import type { Book } from './book.ts';
import { decide } from './decide.ts';
import { isVictim } from './evict.ts';
import { explain, refusal } from './explain.ts';
import type { ModelEntry, Waiter } from './model-entry.ts';
import { NO_ROOM, type Room } from './view.ts';

/** A model whose requests have waited this long gets its turn, though others would go on being served. */
const MIN_OVERDUE_MS = 10_000;

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

/** One model after the other, the longest-waiting first; what one is promised, those behind it do not get. */
function loadWaitedFor(book: Book): void {
  let claimed = NO_ROOM;
  for (const entry of waitedFor(book)) {
    const overdue = book.nowMs >= overdueAtMs(book, entry, entry.oldestWaiter);
    const decision = decide(entry, book.view(claimed), overdue);
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
        break;
      case 'evict':
        for (const id of decision.victims) evict(book, id, entry);
        // A place is free at once, and memory may have been all along: then nothing need wait for the victim's end.
        if (decide(entry, book.view(claimed), false).type === 'load') book.load(entry);
        else claimed = withClaim(claimed, entry);
        break;
      case 'queue':
        if (decision.why === 'estimate') book.estimate(entry);
        // One that waits its turn does not hold up smaller ones; one whose turn it is gets the next room.
        if (decision.why === 'memory' || (decision.why === 'victim' && overdue))
          claimed = withClaim(claimed, entry);
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
    return book.stop(victim, explain.evicted(victim, forModel, book.seen(), book.nowMs));
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
  for (const entry of idleOldestFirst(book)) {
    const overBytes = -book.ledger.freeBytes - stoppingBytes(book);
    if (overBytes <= 0) break;
    book.stop(entry, explain.overBudget(entry, overBytes, book.settings));
  }
}

function forgetRemoved(book: Book): void {
  for (const entry of book.entries.values()) {
    if (!entry.removed) continue;
    if (entry.state.status === 'loading') book.stop(entry, explain.unloaded(entry, 'no longer configured'));
    if (entry.state.status === 'unloaded' || entry.state.status === 'failed') book.entries.delete(entry.id);
  }
}

/** Standbys are started when nothing is on its way in or out: a model that stops may leave one behind. */
function keepStandbys(book: Book): void {
  const { standbyEngines, standbyBytes } = book.settings;
  while (book.standbys > standbyEngines) {
    book.setStandbys(book.standbys - 1);
    book.emit({ type: 'stopStandby' });
  }
  if (needsRoom(book) || isMoving(book)) return;
  while (book.standbys < standbyEngines && book.ledger.freeBytes >= standbyBytes) {
    book.setStandbys(book.standbys + 1);
    book.emit({ type: 'startStandby' });
  }
}

/** When something is due although nothing happens: a wait too long, an idle model, an end of backoff. */
export function nextDeadlineMs(book: Book): number | null {
  const deadlines: number[] = [];
  const roomNeeded = needsRoom(book);
  for (const entry of book.entries.values()) {
    const oldest = entry.oldestWaiter;
    if (oldest) deadlines.push(oldest.arrivedMs + book.settings.maxWaitMs, overdueAtMs(book, entry, oldest));
    if (oldest) deadlines.push(entry.notBeforeMs);
    deadlines.push(idleUnloadAtMs(entry) ?? 0);
    if (roomNeeded && entry.state.status === 'ready') {
      deadlines.push(entry.state.sinceMs + book.settings.minResidencyMs);
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

function waitedFor(book: Book): ModelEntry[] {
  return [...book.entries.values()]
    .filter((entry) => entry.waiters > 0)
    .toSorted((a, b) => (a.oldestWaiter?.arrivedMs ?? 0) - (b.oldestWaiter?.arrivedMs ?? 0));
}

function idleOldestFirst(book: Book): ModelEntry[] {
  return [...book.entries.values()]
    .filter((entry) => isVictim(entry, book.view(NO_ROOM)))
    .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
}

/** Somebody waits for a model that is neither here nor on its way. */
function needsRoom(book: Book): boolean {
  return [...book.entries.values()].some(
    ({ waiters, state }) =>
      waiters > 0 &&
      (state.status === 'unloaded' || state.status === 'failed' || state.status === 'stopping'),
  );
}

function isMoving(book: Book): boolean {
  return [...book.entries.values()].some(
    ({ state }) => state.status === 'loading' || state.status === 'stopping',
  );
}

function stoppingBytes(book: Book): number {
  let bytes = 0;
  for (const { state, lineBytes } of book.entries.values())
    if (state.status === 'stopping') bytes += lineBytes;
  return bytes;
}

/** Turns are counted from when the model's requests were last served, or each swap would serve only a few. */
function overdueAtMs(book: Book, entry: ModelEntry, oldest: Waiter | undefined): number {
  const sinceMs = Math.max(oldest?.arrivedMs ?? book.nowMs, entry.servedUntilMs);
  return sinceMs + Math.max(MIN_OVERDUE_MS, 2 * book.meanLoadMs);
}

function withClaim(claimed: Room, entry: ModelEntry): Room {
  return { bytes: claimed.bytes + (entry.neededBytes ?? 0), models: claimed.models + 1 };
}
