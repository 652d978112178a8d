import type { UsageFigures } from '../../../shared/usage-contract.ts';
import { formatLatency } from '../../state/format.ts';
import { stagesOf } from '../../state/waterfall.ts';
import { STAGES, stageLabel } from './stage-words.ts';

/** The stages of a request below each other, each where it was in the whole, with what it took. */
export function Waterfall({ figures }: { readonly figures: UsageFigures }) {
  const stages = stagesOf(figures);
  const total = Math.max(1, figures.totalMs);
  const share = (ms: number) => `${(100 * ms) / total}%`;
  return (
    <table className="w-full">
      <caption className="sr-only">Where the time went</caption>
      <tbody>
        {stages.map(({ kind, fromMs, toMs }) => (
          <tr key={kind}>
            <th scope="row" className="whitespace-nowrap py-0.5 pr-3 text-left font-normal text-mute">
              {stageLabel(kind, figures)}
            </th>
            <td className="w-full">
              <div aria-hidden className="relative h-2.5">
                <span
                  className="absolute inset-y-0 min-w-0.5 rounded-[3px]"
                  style={{
                    left: share(fromMs),
                    width: share(toMs - fromMs),
                    background: STAGES[kind].colour,
                  }}
                />
              </div>
            </td>
            <td className="whitespace-nowrap py-0.5 pl-3 text-right">{formatLatency(toMs - fromMs)}</td>
          </tr>
        ))}
        <Total label="to first token" ms={figures.firstTokenMs} />
        <Total label="total" ms={figures.totalMs} strong />
      </tbody>
    </table>
  );
}

function Total(props: { readonly label: string; readonly ms: number | null; readonly strong?: boolean }) {
  if (props.ms === null) return null;
  return (
    <tr className={props.strong === true ? 'font-semibold' : ''}>
      <th scope="row" colSpan={2} className="py-0.5 text-left font-normal in-[.font-semibold]:font-semibold">
        {props.label}
      </th>
      <td className="whitespace-nowrap py-0.5 pl-3 text-right">{formatLatency(props.ms)}</td>
    </tr>
  );
}
