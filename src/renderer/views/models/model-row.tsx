import { Cloud } from 'lucide-react';
import { memo, useEffect, useRef } from 'react';
import type { ModelView } from '../../../shared/contract.ts';
import { Chip } from '../../components/chip.tsx';
import { modelColour } from '../../components/model-colour.ts';
import { describeTrouble, isLocal, isResident } from '../../state/describe-model.ts';
import {
  formatContext,
  formatCount,
  formatMemory,
  formatMemoryBeside,
  plural,
  UNKNOWN,
} from '../../state/format.ts';
import { useAdd, useApp, useModels, useRegister } from '../../state/services.tsx';
import { ActionButton } from './action-button.tsx';
import { CapabilityIcons } from './capability-icons.tsx';
import { PinButton } from './pin-button.tsx';
import { RemoteState } from './remote-state.tsx';
import { StageChip } from './stage-chip.tsx';
import { StateCell } from './state-cell.tsx';
import { TargetCell } from './target-cell.tsx';
import { Trouble } from './trouble.tsx';

export interface ModelRowProps {
  readonly model: ModelView;
  /** Place in the app's order: gives the colour. */
  readonly index: number;
}

/** In a narrow table each row is a box of two lines: the name and the actions, and below them the figures. */
const ROW = '@max-[560px]:flex @max-[560px]:flex-wrap @max-[560px]:border-line @max-[560px]:border-t';
const CELL = 'border-line pt-2 pb-2.5 align-top @min-[560px]:border-t';
const UPPER = `${CELL} @max-[560px]:pb-1`;
const LOWER = `${CELL} @max-[560px]:order-1 @max-[560px]:pt-0`;

/** One model, and under it what is wrong with it. */
export const ModelRow = memo(function ModelRow({ model, index }: ModelRowProps) {
  const failure = useApp((state) => state.failures[model.id]);
  const trouble = describeTrouble(model, failure);
  const added = useAdd((state) => state.added === model.id);
  const registered = useRegister((state) => state.added === model.id);
  const selected = useModels((state) => state.selected === model.id);
  const body = useRef<HTMLTableSectionElement>(null);
  useEffect(() => {
    if (added) body.current?.scrollIntoView({ block: 'nearest' });
  }, [added]);
  return (
    <tbody
      ref={body}
      data-added={added || registered}
      className={`@max-[560px]:block ${added ? 'bg-accent/10' : registered || selected ? 'bg-card' : ''}`}
    >
      <tr className={ROW}>
        <th scope="row" className={`${UPPER} pr-3 text-left font-normal @max-[560px]:w-[calc(100%-120px)]`}>
          <NameCell model={model} index={index} />
        </th>
        <td className={`${LOWER} pr-3 @max-[560px]:w-36 @max-[560px]:pl-4.5`}>
          {isLocal(model) ? <StateCell model={model} /> : <RemoteState model={model} />}
        </td>
        <td className={`${LOWER} whitespace-nowrap pr-3 text-right @max-[560px]:text-left`}>
          <MemoryCell model={model} />
        </td>
        <td className={`${CELL} whitespace-nowrap pr-3 text-right @max-[620px]:hidden`}>
          <Context model={model} />
        </td>
        <td className={`${CELL} pr-3 text-mute @max-[800px]:hidden`}>
          <CapabilityIcons capabilities={model.capabilities} />
        </td>
        <td className={`${LOWER} ml-auto whitespace-nowrap pr-4 text-right @max-[560px]:pr-0`}>
          <TargetCell model={model} />
        </td>
        <td className={`${UPPER} text-right @max-[560px]:w-30`}>
          {isLocal(model) ? (
            <div className="flex justify-end gap-1">
              <PinButton model={model} />
              <ActionButton model={model} className="min-w-19" />
            </div>
          ) : null}
        </td>
      </tr>
      {trouble === null ? null : (
        <tr className="@max-[560px]:block">
          <td colSpan={5} className="pb-2.5 pl-4.5 @max-[560px]:block">
            <Trouble model={model} trouble={trouble} />
          </td>
        </tr>
      )}
    </tbody>
  );
});

function NameCell({ model, index }: ModelRowProps) {
  const chips = [...model.aliases, ...model.tiers.map((tier) => `tier:${tier}`)];
  return (
    <div className="flex gap-2">
      <Mark model={model} index={index} />
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-1.5">
          <DetailButton model={model} />
          {model.name === model.id ? null : (
            <span className="max-w-full truncate text-mute" title={model.name}>
              {model.name}
            </span>
          )}
        </div>
        {chips.length === 0 && model.stage === 'production' ? null : (
          <div className="mt-0.5 flex flex-wrap gap-1">
            <StageChip stage={model.stage} />
            {chips.map((chip) => (
              <Chip key={chip}>{chip}</Chip>
            ))}
          </div>
        )}
        {model.replacement === null ? null : (
          <p className="mt-0.5 truncate text-mute text-sm" title={`Use ${model.replacement} instead`}>
            use <span className="text-ink">{model.replacement}</span>
          </p>
        )}
      </div>
    </div>
  );
}

/** The colour of a model in memory, an empty box for one on disk, a cloud for one elsewhere. */
function Mark({ model, index }: ModelRowProps) {
  if (!isLocal(model)) return <Cloud aria-hidden className="-mx-px mt-1 size-3 shrink-0 text-mute" />;
  const colour = isResident(model) ? modelColour(index) : 'transparent';
  return (
    <span
      aria-hidden
      className="mt-[5px] size-2.5 shrink-0 rounded-[3px]"
      style={{ background: colour, boxShadow: isResident(model) ? 'none' : 'inset 0 0 0 1px var(--edge)' }}
    />
  );
}

function DetailButton({ model }: { readonly model: ModelView }) {
  const selected = useModels((state) => state.selected === model.id);
  const select = useModels((state) => state.select);
  return (
    <button
      type="button"
      aria-expanded={selected}
      aria-label={`${model.id}, details`}
      title={model.source?.path ?? model.remoteId ?? undefined}
      onClick={() => select(selected ? null : model.id)}
      className="max-w-full shrink-0 truncate rounded-[3px] font-semibold underline-offset-2 hover:underline"
    >
      {model.id}
    </button>
  );
}

function Context({ model }: { readonly model: ModelView }) {
  const { contextSize } = model;
  if (contextSize === null) return <span className="text-mute">{UNKNOWN}</span>;
  if (!isLocal(model))
    return <span title={`${formatCount(contextSize)} tokens`}>{formatContext(contextSize)}</span>;
  return (
    <>
      {formatCount(contextSize)}
      <div className="text-mute text-sm">× {plural(model.slots, 'slot')}</div>
    </>
  );
}

function MemoryCell({ model }: { readonly model: ModelView }) {
  if (!isLocal(model)) return <span className="text-mute">remote</span>;
  const { measuredBytes, predictedBytes } = model.memory;
  if (!isResident(model) || measuredBytes === null) {
    return (
      <span className="text-mute" title="Predicted; measured once it is loaded">
        {formatMemory(predictedBytes)}
        {predictedBytes === null ? null : <div className="text-sm">predicted</div>}
      </span>
    );
  }
  return (
    <>
      <span title="Measured">{formatMemory(measuredBytes)}</span>
      {predictedBytes === null ? null : (
        <div className="text-mute text-sm" title="Predicted before it was loaded">
          {formatMemoryBeside(predictedBytes, measuredBytes)} predicted
        </div>
      )}
    </>
  );
}
