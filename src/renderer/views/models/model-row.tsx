import { memo, useEffect, useRef } from 'react';
import type { ModelView } from '../../../shared/contract.ts';
import { Chip } from '../../components/chip.tsx';
import { modelColour } from '../../components/model-colour.ts';
import { describeTrouble, isResident } from '../../state/describe-model.ts';
import {
  formatCount,
  formatLatency,
  formatMemory,
  formatMemoryBeside,
  formatSpeed,
  plural,
  UNKNOWN,
} from '../../state/format.ts';
import { useAdd, useApp } from '../../state/services.tsx';
import { ActionButton } from './action-button.tsx';
import { PinButton } from './pin-button.tsx';
import { StateCell } from './state-cell.tsx';
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
  const body = useRef<HTMLTableSectionElement>(null);
  useEffect(() => {
    if (added) body.current?.scrollIntoView({ block: 'nearest' });
  }, [added]);
  return (
    <tbody ref={body} data-added={added} className={`@max-[560px]:block ${added ? 'bg-accent/10' : ''}`}>
      <tr className={ROW}>
        <th scope="row" className={`${UPPER} pr-3 text-left font-normal @max-[560px]:w-[calc(100%-120px)]`}>
          <NameCell model={model} index={index} />
        </th>
        <td className={`${LOWER} pr-3 @max-[560px]:w-36 @max-[560px]:pl-4.5`}>
          <StateCell model={model} />
        </td>
        <td className={`${LOWER} whitespace-nowrap pr-3 text-right @max-[560px]:text-left`}>
          <MemoryCell model={model} />
        </td>
        <td className={`${CELL} whitespace-nowrap pr-3 text-right @max-[620px]:hidden`}>
          {model.contextSize === null ? UNKNOWN : formatCount(model.contextSize)}
          <div className="text-mute text-sm">× {plural(model.slots, 'slot')}</div>
        </td>
        <td className={`${LOWER} ml-auto whitespace-nowrap pr-4 text-right @max-[560px]:pr-0`}>
          <span className="@max-[560px]:hidden">{formatLatency(model.lastFirstTokenMs)}</span>
          {model.lastTokensPerSecond === null ? null : (
            <div className="text-mute text-sm">{formatSpeed(model.lastTokensPerSecond)}</div>
          )}
        </td>
        <td className={`${UPPER} text-right @max-[560px]:w-30`}>
          <div className="flex justify-end gap-1">
            <PinButton model={model} />
            <ActionButton model={model} className="min-w-19" />
          </div>
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
  const colour = isResident(model) ? modelColour(index) : 'transparent';
  return (
    <div className="flex gap-2">
      <span
        aria-hidden
        className="mt-[5px] size-2.5 shrink-0 rounded-[3px]"
        style={{ background: colour, boxShadow: isResident(model) ? 'none' : 'inset 0 0 0 1px var(--edge)' }}
      />
      <div className="min-w-0">
        <div className="flex items-center gap-1.5">
          <b
            className="shrink-0 max-w-full truncate"
            title={model.source?.path ?? model.provider ?? undefined}
          >
            {model.id}
          </b>
          {model.name === model.id ? null : (
            <span className="truncate text-mute" title={model.name}>
              {model.name}
            </span>
          )}
        </div>
        {chips.length === 0 ? null : (
          <div className="mt-0.5 flex flex-wrap gap-1">
            {chips.map((chip) => (
              <Chip key={chip}>{chip}</Chip>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

function MemoryCell({ model }: { readonly model: ModelView }) {
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
