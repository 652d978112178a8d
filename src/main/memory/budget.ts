import { assertNever } from '../../shared/assert-never.ts';
import type { BudgetSetting } from '../config/settings.ts';

const GIB = 1024 ** 3;

export interface MachineMemory {
  readonly totalBytes: number;
  /** Metal's `recommendedMaxWorkingSetSize`; `null` where there is no Metal. */
  readonly metalWorkingSetBytes: number | null;
}

/**
 * Bytes that all engines together may use. `auto` leaves 4 GiB to the system, stays 1 GiB under what Metal
 * recommends, and without Metal takes at most 80 % of RAM. It never goes below a quarter of RAM: on a machine of 4 GiB
 * nothing at all could be loaded otherwise.
 */
export function budgetBytes(setting: BudgetSetting, machine: MachineMemory): number {
  const { totalBytes, metalWorkingSetBytes } = machine;
  switch (setting.kind) {
    case 'bytes':
      return setting.bytes;
    case 'share':
      return Math.floor(setting.share * totalBytes);
    case 'auto': {
      const recommended =
        metalWorkingSetBytes === null ? Math.floor(0.8 * totalBytes) : metalWorkingSetBytes - GIB;
      return Math.max(Math.min(recommended, totalBytes - 4 * GIB), Math.floor(totalBytes / 4));
    }
    default:
      return assertNever(setting);
  }
}
