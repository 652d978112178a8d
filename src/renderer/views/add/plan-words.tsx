import type { ReactNode } from 'react';
import { assertNever } from '../../../shared/assert-never.ts';
import type { EstimateView, MemorySettingsView, PlanVictim } from '../../../shared/contract.ts';
import { formatBytes, formatDuration } from '../../../shared/units.ts';
import { Button } from '../../components/button.tsx';
import { formatCount } from '../../state/format.ts';
import { judge, largestBeside, liveEstimate } from '../../state/live-estimate.ts';
import { useAdd } from '../../state/services.tsx';

export interface PlanWordsProps {
  readonly estimate: EstimateView;
  readonly settings: MemorySettingsView;
  readonly steps: readonly number[];
}

/** Whether it goes in, what would have to go for it, and the one thing to do where it does not. */
export function PlanWords({ estimate, settings, steps }: PlanWordsProps) {
  const verdict = judge(estimate, settings);
  return (
    <div role="status" className="mt-3 min-h-[57px]">
      {verdict === 'checking' ? (
        <p className="text-mute">Asking what would have to go…</p>
      ) : (
        <Verdict verdict={verdict} estimate={estimate} settings={settings} steps={steps} />
      )}
    </div>
  );
}

function Verdict(props: PlanWordsProps & { readonly verdict: EstimateView['plan']['outcome'] }): ReactNode {
  const { verdict, estimate, settings, steps } = props;
  const { plan } = estimate;
  switch (verdict) {
    case 'resident':
      return <p>{plan.text}</p>;
    case 'fits':
      return (
        <p>
          <Good>Fits</Good> beside everything.{' '}
          <span className="text-mute">{formatBytes(plan.freeBytes)} are free.</span>
        </p>
      );
    case 'evicts':
      return (
        <p>
          <Good>Fits</Good> after unloading <Victims victims={plan.victims} />.{' '}
          <Beside estimate={estimate} settings={settings} steps={steps} />
        </p>
      );
    case 'waits':
      return (
        <p>
          <span className="font-medium text-busy">Has to wait</span> until a model that is busy or pinned can
          go: only {formatBytes(plan.freeBytes)} are free.{' '}
          <Beside estimate={estimate} settings={settings} steps={steps} />
        </p>
      );
    case 'never':
      return <TooLarge estimate={estimate} settings={settings} />;
    default:
      return assertNever(verdict);
  }
}

function Good({ children }: { readonly children: ReactNode }) {
  return <span className="font-medium text-good">{children}</span>;
}

function Victims({ victims }: { readonly victims: readonly PlanVictim[] }) {
  return victims.map((victim, index) => {
    const facts = [`idle ${formatDuration(victim.idleMs)}`];
    if (victim.reloadMs !== null) facts.push(`back in ${formatDuration(victim.reloadMs)}`);
    return (
      <span key={victim.id}>
        {index === 0 ? '' : index === victims.length - 1 ? ' and ' : ', '}
        <b>{victim.id}</b> <span className="text-mute">({facts.join(', ')})</span>
      </span>
    );
  });
}

/** The context with which nothing would have to go. */
function Beside({ estimate, settings, steps }: PlanWordsProps) {
  const change = useAdd((state) => state.change);
  const contextSize = largestBeside(estimate, settings, steps);
  if (contextSize === null || contextSize >= settings.contextSize) return null;
  return (
    <>
      With{' '}
      <button
        type="button"
        className="font-medium text-accent underline underline-offset-2"
        onClick={() => change({ contextSize })}
      >
        {formatCount(contextSize)}
      </button>{' '}
      it fits beside everything.
    </>
  );
}

function TooLarge({ estimate, settings }: Pick<PlanWordsProps, 'estimate' | 'settings'>) {
  const change = useAdd((state) => state.change);
  const { fit, plan } = estimate;
  const { neededBytes } = liveEstimate(estimate, settings);
  const words = (
    <>
      <span className="font-medium text-bad">Does not fit:</span> needs {formatBytes(neededBytes)} of{' '}
      {formatBytes(plan.budgetBytes)}
    </>
  );
  if (fit === null) {
    return <p>{words}, with the smallest context too. Choose a smaller file or a lower quantisation.</p>;
  }
  const { contextSize, parallel, batchSize, cacheType } = fit;
  const changes = [
    parallel === settings.parallel ? [] : [`${parallel} slots`],
    cacheType === settings.cacheType ? [] : [`a ${cacheType} cache`],
    batchSize === settings.batchSize ? [] : [`a batch of ${batchSize}`],
  ].flat();
  return (
    <div className="flex items-start gap-3">
      <p className="mr-auto">
        {words}; the largest context that fits is {formatCount(contextSize)}
        {changes.length === 0 ? '' : `, with ${changes.join(', ')}`}.
      </p>
      <Button onClick={() => change({ contextSize, parallel, batchSize, cacheType })}>
        Use {formatCount(contextSize)}
      </Button>
    </div>
  );
}
