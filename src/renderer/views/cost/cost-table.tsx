import { memo } from 'react';
import type { CostSum, CostsView } from '../../../shared/usage-contract.ts';
import { layOutDays } from '../../state/cost-days.ts';
import { COST_KEY_WORDS, formatSum, unpricedWords } from '../../state/describe-cost.ts';
import { formatCount } from '../../state/format.ts';
import { NO_FILTERS } from '../../state/request-filters.ts';
import { useCost, useRequests } from '../../state/services.tsx';
import { costColour } from './cost-colour.ts';

const HEADS: readonly (readonly [head: string, className: string])[] = [
  ['requests', 'w-20'],
  ['failed', 'w-16 @max-[620px]:hidden'],
  ['tokens in', 'w-26 @max-[620px]:hidden'],
  ['of them cached', 'w-26 @max-[760px]:hidden'],
  ['tokens out', 'w-26 @max-[620px]:hidden'],
  ['cost', 'w-36'],
];
const CELL = 'border-line border-t py-1.5';

/** The sums over the whole time, the dearest first. */
export const CostTable = memo(function CostTable({ costs }: { readonly costs: CostsView }) {
  const by = useCost((state) => state.costsBy);
  const { colours } = layOutDays(costs);
  return (
    <div className="@container">
      <table className="w-full table-fixed border-collapse">
        <caption className="sr-only">Costs by {COST_KEY_WORDS[by].label.toLowerCase()}</caption>
        <thead>
          <tr className="text-mute text-xs">
            <th scope="col" className="pb-1.5 text-left font-medium">
              {COST_KEY_WORDS[by].label.toLowerCase()}
            </th>
            {HEADS.map(([head, className]) => (
              <th key={head} scope="col" className={`pb-1.5 text-right font-medium ${className}`}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {costs.keys.map((sum, index) => (
            <tr key={sum.key ?? ''}>
              <th scope="row" className={`${CELL} pr-3 text-left font-normal`}>
                <div className="flex items-center gap-2">
                  <span
                    aria-hidden
                    className="size-2.5 shrink-0 rounded-[3px]"
                    style={{ background: costColour(colours[index]?.colour ?? 0) }}
                  />
                  <KeyName value={sum.key} />
                </div>
              </th>
              <Figures sum={sum} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="font-semibold">
            <th scope="row" className={`${CELL} border-edge pl-4.5 text-left font-semibold`}>
              Total
            </th>
            <Figures sum={costs.total} edge />
          </tr>
        </tfoot>
      </table>
    </div>
  );
});

/** Leads to the requests that were summed, where there is a filter for them. */
function KeyName({ value }: { readonly value: string | null }) {
  const by = useCost((state) => state.costsBy);
  const filter = useRequests((state) => state.filter);
  const { none, filter: name } = COST_KEY_WORDS[by];
  if (value === null) return <span className="truncate text-mute">{none}</span>;
  if (name === null) return <b className="truncate">{value}</b>;
  return (
    <button
      type="button"
      title={`Show the requests of ${value}`}
      onClick={() => {
        filter({ ...NO_FILTERS, [name]: value });
        window.location.hash = '#/requests';
      }}
      className="truncate font-semibold hover:underline"
    >
      {value}
    </button>
  );
}

function Figures({ sum, edge = false }: { readonly sum: CostSum; readonly edge?: boolean }) {
  const unpriced = unpricedWords(sum);
  const cell = `${CELL} ${edge ? 'border-edge' : ''} text-right`;
  const aside = `${cell} @max-[620px]:hidden`;
  return (
    <>
      <td className={cell}>{formatCount(sum.requests)}</td>
      <td className={`${aside} ${sum.errors > 0 ? '' : 'text-mute'}`}>{formatCount(sum.errors)}</td>
      <td className={aside}>{formatCount(sum.promptTokens)}</td>
      <td className={`${cell} text-mute @max-[760px]:hidden`}>{formatCount(sum.cachedTokens)}</td>
      <td className={aside}>{formatCount(sum.completionTokens)}</td>
      <td className={cell}>
        <span className={sum.costNanoDollars === null ? 'text-mute text-sm' : ''}>{formatSum(sum)}</span>
        {unpriced === null ? null : (
          <div className="font-normal text-mute text-xs" title={unpriced}>
            + {formatCount(sum.unpriced)} not known
          </div>
        )}
      </td>
    </>
  );
}
