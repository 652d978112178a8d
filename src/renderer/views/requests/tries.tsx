import type { UsageTry } from '../../../shared/usage-contract.ts';
import { formatCost } from '../../state/describe-request.ts';
import { formatLatency } from '../../state/format.ts';
import { StageBar } from './stage-bar.tsx';
import { StatusIcon } from './status-icon.tsx';

/** Each model that was asked for this one answer, in their order. */
export function Tries({ tries }: { readonly tries: readonly UsageTry[] }) {
  return (
    <>
      <h3 className="mt-4 mb-1.5 border-line border-t pt-3 font-semibold">Tries</h3>
      <ol className="flex flex-col gap-2.5">
        {tries.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: tries have no other name than their order, which never changes
          <li key={index}>
            <div className="flex items-center gap-2">
              <StatusIcon status={one.status} />
              <span className="min-w-0 truncate font-medium">{one.model}</span>
              <span className="truncate text-mute">{one.errorCode ?? one.provider}</span>
              <span className="ml-auto whitespace-nowrap">{formatLatency(one.totalMs)}</span>
            </div>
            <div className="mt-1 flex items-center gap-3 pl-5.5">
              <div className="flex-1">
                <StageBar figures={one} />
              </div>
              <span className="text-mute text-sm">{formatCost(one)}</span>
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
