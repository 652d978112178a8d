import type { Clock } from '../../shared/clock.ts';
import type { PrefixCalls } from './prefix-calls.ts';
import type { ModelPrefixes, PrefixStore, SavePlan } from './prefix-store.ts';
import type { SavedPrefix } from './protocol-prefix.ts';

/** A stop that frees memory for somebody waits no longer than this for saving. */
const SAVE_LIMIT_MS = 2000;

/**
 * Has an engine save what its slots hold and is worth it, before its model goes. Never rejects: what is saved when the
 * time is over, or when the engine has failed, is saved.
 * @returns false when the engine still writes, and is to be ended rather than emptied
 */
export async function savePrefixes(
  engine: Pick<PrefixCalls, 'list' | 'save'>,
  store: PrefixStore,
  model: ModelPrefixes,
  clock: Clock,
): Promise<boolean> {
  const saved: SavedPrefix[] = [];
  let plan: SavePlan | null = null;
  let over = false;
  const end = (failed: string | null) => {
    over = true;
    if (plan) store.commit(model, plan, saved, failed);
  };
  const save = async () => {
    try {
      plan = await store.plan(model, await engine.list(), SAVE_LIMIT_MS);
      // The time was over while it was planned: nothing of it will be written.
      if (over) return store.commit(model, plan, [], null);
      const failed =
        plan.saves.length === 0 ? null : await engine.save(plan.dir, plan.saves, (one) => saved.push(one));
      if (!over) end(failed);
    } catch {
      // The engine has ended, which is told of elsewhere.
      if (!over) end(null);
    }
  };
  const tooLate = Promise.withResolvers<void>();
  using _timer = clock.after(SAVE_LIMIT_MS, tooLate.resolve);
  await Promise.race([save(), tooLate.promise]);
  if (over) return true;
  const unwritten = unwrittenBytes(plan, saved);
  if (unwritten > 0) store.tookTooLong(unwritten, SAVE_LIMIT_MS);
  end(null);
  return false;
}

/** Of the first file that was not finished. */
function unwrittenBytes(plan: SavePlan | null, saved: readonly SavedPrefix[]): number {
  const written = new Set(saved.map(({ file }) => file));
  return plan?.saves.find(({ file }) => !written.has(file))?.held.bytes ?? 0;
}
