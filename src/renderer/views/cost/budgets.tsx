import { formatDollars } from '../../../shared/money.ts';
import type { BudgetView } from '../../../shared/usage-contract.ts';
import { Ahead } from '../../components/ahead.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { describeBudget, scopeWords } from '../../state/describe-cost.ts';
import type { Tone } from '../../state/describe-model.ts';
import { useCost } from '../../state/services.tsx';
import { TONES } from '../models/state-cell.tsx';

const EXAMPLE = `budgets:
  - scope: all
    limit: 50.00
    per: month
    alertAt: [50%, 90%]
    action: warn`;

/** What may be spent: how much of it is, how much is on its way, and when it begins anew. */
export function Budgets() {
  const budgets = useCost((state) => state.budgets) ?? [];
  return (
    <section aria-labelledby="budgets-heading" className="min-w-0">
      <h2 id="budgets-heading" className="mb-2 font-semibold">
        Budgets
      </h2>
      {budgets.length === 0 ? (
        <>
          <p className="mb-2 border-line border-t pt-2.5 text-mute">
            None is set. Written into models.yaml, one warns, or refuses requests once it is spent:
          </p>
          <CodeBlock text={EXAMPLE} name="Copy the budget" />
        </>
      ) : (
        <ul className="flex flex-col">
          {budgets.map((budget) => (
            <li key={JSON.stringify([budget.scope, budget.per])} className="border-line border-t py-2.5">
              <BudgetRow budget={budget} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const FILLS: Readonly<Record<Tone, string>> = {
  quiet: 'var(--fill)',
  good: 'var(--fill)',
  busy: 'var(--busy)',
  bad: 'var(--bad)',
};

function BudgetRow({ budget }: { readonly budget: BudgetView }) {
  const { limitNanoDollars: limit, spentNanoDollars: spent, inFlightNanoDollars: inFlight } = budget;
  const { name, kind } = scopeWords(budget.scope);
  const words = describeBudget(budget);
  const share = limit === 0 ? 1 : Math.min(1, spent / limit);
  const flying = limit === 0 ? 0 : Math.min(1 - share, inFlight / limit);
  return (
    <>
      <div className="flex items-baseline gap-2">
        <b className="truncate">{name}</b>
        <span className="mr-auto text-mute">{kind}</span>
        <span className="whitespace-nowrap">
          <b>{formatDollars(spent)}</b>{' '}
          <span className="text-mute">
            of {formatDollars(limit)} a {budget.per}
          </span>
        </span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: the element cannot show what is in flight, nor where alerts stand */}
      <div
        role="meter"
        aria-label={`Spent of the budget for ${name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * share)}
        aria-valuetext={`${formatDollars(spent)} of ${formatDollars(limit)}, ${words.text}`}
        className="relative my-2 h-2 rounded-[3px] bg-line"
      >
        <div className="flex h-full overflow-hidden rounded-[3px]">
          <span style={{ width: `${100 * share}%`, background: FILLS[words.tone] }} />
          <span
            className="hatched-fine"
            style={{
              width: `${100 * flying}%`,
              backgroundColor: 'color-mix(in srgb, var(--ink) 18%, transparent)',
            }}
          />
        </div>
        {budget.alertAt.map((at) => (
          <span
            key={at}
            title={`Says so at ${Math.round(100 * at)} %`}
            className="-top-0.5 -bottom-0.5 absolute w-0.5 bg-ink"
            style={{ left: `${100 * at}%` }}
          />
        ))}
      </div>
      <div className="flex flex-wrap gap-x-3 text-mute text-sm">
        <span className={`font-medium ${TONES[words.tone]}`}>{words.text}</span>
        {inFlight > 0 ? <span>{formatDollars(inFlight)} in flight</span> : null}
        <span>{budget.action === 'block' ? 'refuses at its limit' : 'only warns'}</span>
        <span className="ml-auto">
          resets in <Ahead atMs={budget.resetsAtMs} />
        </span>
      </div>
    </>
  );
}
