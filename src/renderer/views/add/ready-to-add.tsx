import type { MemorySettingsView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Words } from '../../components/words.tsx';
import type { AddStep } from '../../state/add-store.ts';
import { formatCount, formatParameters } from '../../state/format.ts';
import { contextSteps, liveEstimate, stepOf } from '../../state/live-estimate.ts';
import { useAdd } from '../../state/services.tsx';
import { EstimateBar } from './estimate-bar.tsx';
import { PlanWords } from './plan-words.tsx';
import { Slider } from './slider.tsx';

const MOST_SLOTS = 16;
const CACHE_TYPES: readonly MemorySettingsView['cacheType'][] = ['f16', 'q8_0', 'q4_0'];

export type ReadyStep = Extract<AddStep, { kind: 'ready' }>;

/** What a file is, what it takes with the settings chosen, and whether that goes in. */
export function ReadyToAdd({ step }: { readonly step: ReadyStep }) {
  const change = useAdd((state) => state.change);
  const { estimate, settings } = step;
  const steps = contextSteps(estimate.trainedContextSize);
  const live = liveEstimate(estimate, settings);
  return (
    <>
      <p className="text-mute">
        {estimate.quantization} · {estimate.architecture} · {formatParameters(estimate.parameters)}
      </p>
      <p className="truncate text-mute [direction:rtl] text-left" title={estimate.path}>
        <bdi>{estimate.path}</bdi>
      </p>
      {estimate.registeredAs === null ? null : <Registered id={estimate.registeredAs} />}

      <div className="mt-3.5 flex flex-col gap-2.5">
        <Slider
          label="Context"
          words={formatCount(settings.contextSize)}
          unit="tokens a slot"
          place={stepOf(steps, settings.contextSize)}
          places={steps.length}
          onPlace={(place) => change({ contextSize: steps[place] ?? settings.contextSize })}
        />
        <Slider
          label="Slots"
          words={String(settings.parallel)}
          unit={settings.parallel === 1 ? 'request at once' : 'requests at once'}
          place={settings.parallel - 1}
          places={MOST_SLOTS}
          onPlace={(place) => change({ parallel: place + 1 })}
        />
        <CacheType chosen={settings.cacheType} onChoose={(cacheType) => change({ cacheType })} />
      </div>

      <EstimateBar live={live} learned={estimate.learned} />
      <PlanWords estimate={estimate} settings={settings} steps={steps} />
      {step.refusal === null ? null : (
        <Notice tone="bad" alert className="mt-2.5 rounded-lg border border-line bg-bad-soft px-3 py-2">
          <p className="wrap-anywhere">
            <Words text={step.refusal.message} />
          </p>
        </Notice>
      )}
      <Actions step={step} />
    </>
  );
}

function Registered({ id }: { readonly id: string }) {
  const show = useAdd((state) => state.show);
  return (
    <div className="mt-2.5 flex items-center gap-2 rounded-lg border border-line bg-page px-3 py-1.5">
      <p className="mr-auto">
        Already registered as <b>{id}</b>.
      </p>
      <Button look="link" className="-mr-2" onClick={() => show(id)}>
        Go to {id}
      </Button>
    </div>
  );
}

interface CacheTypeProps {
  readonly chosen: MemorySettingsView['cacheType'];
  readonly onChoose: (cacheType: MemorySettingsView['cacheType']) => void;
}

function CacheType({ chosen, onChoose }: CacheTypeProps) {
  return (
    <fieldset className="flex items-center">
      <legend className="contents">
        <span className="mr-auto">Cache type</span>
      </legend>
      <div className="flex rounded-md border border-edge bg-page p-0.5">
        {CACHE_TYPES.map((cacheType) => (
          <label
            key={cacheType}
            className="rounded-[4px] px-2.5 text-mute leading-[22px] has-checked:bg-card has-checked:font-medium has-checked:text-ink has-checked:shadow-[0_0_0_1px_var(--edge)] has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-1"
          >
            <input
              type="radio"
              name="cache-type"
              value={cacheType}
              checked={cacheType === chosen}
              onChange={() => onChoose(cacheType)}
              className="sr-only"
            />
            {cacheType}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Actions({ step }: { readonly step: ReadyStep }) {
  const skip = useAdd((state) => state.skip);
  const confirm = useAdd((state) => state.confirm);
  const last = useAdd((state) => state.place >= state.count);
  const { suggestedId, registeredAs } = step.estimate;
  return (
    <div className="mt-4 flex justify-between gap-2">
      <Button onClick={skip}>{last ? 'Cancel' : 'Skip'}</Button>
      <Button
        look={registeredAs === null ? 'primary' : 'plain'}
        disabled={step.adding}
        onClick={() => void confirm()}
        className="min-w-0 shrink!"
      >
        <span className="truncate">
          {step.adding ? 'Adding' : registeredAs === null ? 'Add' : 'Add again'} as {suggestedId}
        </span>
      </Button>
    </div>
  );
}
