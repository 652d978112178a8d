import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { Budget } from '../../shared/usage-contract.ts';
import { Budgets } from './budgets.ts';

const BUDGET: Budget = { scope: 'all', limitNanoDollars: 100, per: 'day', alertAt: [], action: 'warn' };

test('a sum that could not be read is read again, and holds a row that is recorded with its settling', async () => {
  let isBroken = true;
  let recordedNanos = 30;
  const clock = new ManualClock();
  const budgets = new Budgets({
    clock,
    raised: [],
    onAlert: () => undefined,
    rows: {
      // What is asked for is worked out when it is asked, as the database does it.
      sums: async (wanted) => {
        if (isBroken) throw new Error('disk I/O error');
        return wanted.map(() => recordedNanos);
      },
      saveAlert: () => undefined,
    },
  });
  await budgets.configure([BUDGET]);
  const reservation = budgets.reserve({
    atMs: clock.nowMs(),
    provider: 'openai',
    model: 'gpt',
    user: null,
    estimateNanoDollars: 9,
  });
  await Promise.resolve();
  isBroken = false;
  reservation.settle(5);
  recordedNanos += 5;
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(budgets.view()).toMatchObject([{ spentNanoDollars: 35, inFlightNanoDollars: 0 }]);
});
