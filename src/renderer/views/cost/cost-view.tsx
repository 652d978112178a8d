import { useEffect } from 'react';
import type { CostsView } from '../../../shared/usage-contract.ts';
import { Choice } from '../../components/choice.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { Failure } from '../../components/failure.tsx';
import { Segments } from '../../components/segments.tsx';
import { curlExample } from '../../state/asking.ts';
import { COST_DAYS } from '../../state/cost-store.ts';
import { COST_KEY_WORDS, formatSum, unpricedWords } from '../../state/describe-cost.ts';
import { formatShortCount, plural } from '../../state/format.ts';
import { useApp, useCost } from '../../state/services.tsx';
import { Budgets } from './budgets.tsx';
import { CostChart } from './cost-chart.tsx';
import { CostTable } from './cost-table.tsx';
import { ExportLinks } from './export-links.tsx';
import { Suggestions } from './suggestions.tsx';

const KEYS = (['model', 'provider', 'user', 'key', 'content-type'] as const).map((value) => ({
  value,
  label: COST_KEY_WORDS[value].label,
}));
const DAYS = COST_DAYS.map((days) => ({ value: String(days), label: `last ${days} days` }));

/** What was spent, on what, what may be spent, and where it could be less. */
export function CostView() {
  const by = useCost((state) => state.by);
  const days = useCost((state) => state.days);
  const show = useCost((state) => state.show);
  const look = useCost((state) => state.look);
  useEffect(() => {
    const looking = look();
    return () => looking[Symbol.dispose]();
  }, [look]);
  return (
    <div className="flex flex-col gap-5 px-5 py-6 lg:px-7">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-3">
        <h1 className="mr-auto font-semibold text-xl tracking-tight">Cost</h1>
        <Segments label="By what" value={by} options={KEYS} onChange={(key) => show({ by: key })} />
        <Choice
          label="Time"
          value={String(days)}
          options={DAYS}
          onChange={(chosen) => {
            const period = COST_DAYS.find((one) => String(one) === chosen);
            if (period !== undefined) show({ days: period });
          }}
        />
      </div>
      <Content />
    </div>
  );
}

function Content() {
  const costs = useCost((state) => state.costs);
  const error = useCost((state) => state.error);
  const reload = useCost((state) => state.reload);
  const failure =
    error === null ? null : (
      <Failure error={error} action={{ label: 'Try again', onClick: () => void reload() }} />
    );
  if (costs === null) return failure ?? <p className="text-mute">Adding up…</p>;
  return (
    <>
      {failure}
      {costs.total.requests === 0 ? <Nothing /> : <Sums costs={costs} />}
      <div className="grid items-start gap-x-5 gap-y-6 lg:grid-cols-2">
        <Budgets />
        <Suggestions />
      </div>
    </>
  );
}

function Sums({ costs }: { readonly costs: CostsView }) {
  const { total } = costs;
  const unpriced = unpricedWords(total);
  return (
    <>
      <section aria-labelledby="cost-total">
        <div className="flex flex-wrap items-baseline gap-x-3">
          <h2 id="cost-total" className="font-semibold text-[26px] tracking-tight leading-8">
            {formatSum(total)}
          </h2>
          {unpriced === null ? null : <span className="text-busy">{unpriced}</span>}
          <p className="ml-auto text-mute">
            {plural(total.requests, 'request')} · {formatShortCount(total.promptTokens)} tokens in ·{' '}
            {formatShortCount(total.completionTokens)} out
          </p>
        </div>
        <CostChart costs={costs} />
      </section>
      <div>
        <CostTable costs={costs} />
        <ExportLinks />
      </div>
    </>
  );
}

function Nothing() {
  const url = useApp((state) => state.snapshot?.server.url);
  const days = useCost((state) => state.days);
  return (
    <section
      aria-label="Costs"
      className="flex flex-col items-center rounded-[10px] border border-edge border-dashed bg-card px-6 py-10 text-center"
    >
      <h2 className="font-semibold text-lg">No requests in the last {days} days</h2>
      <p className="mt-1 mb-4 text-mute">
        What requests cost is added up here by day, and by model, provider, user, key and content type.
      </p>
      {url === undefined ? null : <CodeBlock text={curlExample(url, 'auto')} name="Copy command" />}
    </section>
  );
}
