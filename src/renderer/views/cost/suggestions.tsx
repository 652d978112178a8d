import { formatDollars } from '../../../shared/money.ts';
import { formatDuration } from '../../../shared/units.ts';
import type { SuggestionView } from '../../../shared/usage-contract.ts';
import { Fact, Facts } from '../../components/facts.tsx';
import { formatCount } from '../../state/format.ts';
import { useCost } from '../../state/services.tsx';

/** Where requests could go for less, with the arithmetic. */
export function Suggestions() {
  const suggestions = useCost((state) => state.suggestions) ?? [];
  return (
    <section aria-labelledby="suggestions-heading" className="min-w-0">
      <h2 id="suggestions-heading" className="mb-2 font-semibold">
        Suggestions
      </h2>
      {suggestions.length === 0 ? (
        <p className="border-line border-t pt-2.5 text-mute">
          None. They come after a week of requests, when many small ones go to a model that costs money and a
          local model with a latency target answers such requests in time.
        </p>
      ) : (
        <ul className="flex flex-col gap-3">
          {suggestions.map((suggestion) => (
            <li
              key={`${suggestion.fromModel} ${suggestion.toModel}`}
              className="rounded-[10px] border border-line bg-card px-4 py-3 shadow-(--shade)"
            >
              <Suggestion suggestion={suggestion} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Suggestion({ suggestion }: { readonly suggestion: SuggestionView }) {
  const { fromModel, toModel, smallRequests, requests, observedDays, localMet, localRequests } = suggestion;
  const saved = formatDollars(suggestion.savedNanoDollarsPerMonth);
  const days = Math.round(observedDays);
  const cost = formatDollars(suggestion.smallCostNanoDollars);
  return (
    <>
      <div className="flex items-baseline gap-3" title={suggestion.text}>
        <p className="mr-auto">
          Small requests from <b>{fromModel}</b> to <b>{toModel}</b>
        </p>
        <b className="whitespace-nowrap text-good">−{saved} a month</b>
      </div>
      <Facts className="mt-2 border-line border-t pt-2">
        <Fact label={`under ${suggestion.smallTokens} tokens in and out`}>
          {formatCount(smallRequests)} of {formatCount(requests)}
        </Fact>
        <Fact label={`they cost, in ${days} days`}>{cost}</Fact>
        <Fact label={`${toModel} within ${formatDuration(suggestion.targetFirstTokenMs)} on such`}>
          {formatCount(localMet)} of {formatCount(localRequests)}
        </Fact>
        <Fact label="a month">
          {cost} ÷ {days} × 30 = {saved}
        </Fact>
      </Facts>
    </>
  );
}
