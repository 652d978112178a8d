import { memo, useState } from 'react';
import type { DecisionView } from '../../../shared/contract.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { Sentence } from './sentence.tsx';

const SHOWN_AT_FIRST = 6;

/** What the scheduler did and why, newest first. */
export const Decisions = memo(function Decisions(props: { readonly decisions: readonly DecisionView[] }) {
  const { decisions } = props;
  const [all, setAll] = useState(false);
  const newest = decisions.toReversed();
  const shown = all ? newest : newest.slice(0, SHOWN_AT_FIRST);
  return (
    <section aria-labelledby="decisions-heading">
      <div className="mb-2 flex items-baseline justify-between">
        <h2 id="decisions-heading" className="font-semibold">
          Decisions
        </h2>
        <span className="text-mute">why</span>
      </div>
      {decisions.length === 0 ? (
        <p className="border-line border-t pt-2 text-mute">
          Nothing decided yet. Load a model or ask one something, and the reason appears here.
        </p>
      ) : (
        <ul>
          {shown.map((decision) => (
            <li key={decision.id} className="flex animate-appear gap-4 border-line border-t py-[7px]">
              <p className="min-w-0 flex-1">
                <Sentence text={decision.text} modelId={decision.modelId} />
              </p>
              <Ago atMs={decision.atMs} />
            </li>
          ))}
        </ul>
      )}
      {newest.length > SHOWN_AT_FIRST ? (
        <Button look="bare" className="-ml-[11px] mt-1" onClick={() => setAll(!all)}>
          {all ? 'Show the latest' : `Show all ${newest.length}`}
        </Button>
      ) : null}
    </section>
  );
});
