import { Pin, X } from 'lucide-react';
import type { ModelView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { Chip } from '../../components/chip.tsx';
import { modelColour } from '../../components/model-colour.ts';
import { Notice } from '../../components/notice.tsx';
import { Words } from '../../components/words.tsx';
import { describeAction, describeTrouble, isResident, type ModelNote } from '../../state/describe-model.ts';
import {
  formatCount,
  formatLatency,
  formatMemory,
  formatSpeed,
  plural,
  UNKNOWN,
} from '../../state/format.ts';
import { useApp } from '../../state/services.tsx';
import { StateCell } from './state-cell.tsx';

export interface ModelRowProps {
  readonly model: ModelView;
  /** Place in the app's order: gives the colour. */
  readonly index: number;
}

const CELL = 'border-line border-t pt-2 pb-2.5 align-top';

/** One model, and under it what is wrong with it. */
export function ModelRow({ model, index }: ModelRowProps) {
  const failure = useApp((state) => state.failures[model.id]);
  const trouble = describeTrouble(model, failure);
  return (
    <tbody>
      <tr>
        <th scope="row" className={`${CELL} pr-3 text-left font-normal`}>
          <NameCell model={model} index={index} />
        </th>
        <td className={`${CELL} pr-3`}>
          <StateCell model={model} />
        </td>
        <td className={`${CELL} whitespace-nowrap pr-3 text-right`}>
          <MemoryCell model={model} />
        </td>
        <td className={`${CELL} whitespace-nowrap pr-3 text-right @max-[620px]:hidden`}>
          {formatCount(model.contextSize)}
          <div className="text-mute text-sm">× {plural(model.slots, 'slot')}</div>
        </td>
        <td className={`${CELL} whitespace-nowrap pr-4 text-right`}>
          {formatLatency(model.lastFirstTokenMs)}
          {model.lastTokensPerSecond === null ? null : (
            <div className="text-mute text-sm">{formatSpeed(model.lastTokensPerSecond)}</div>
          )}
        </td>
        <td className={`${CELL} text-right`}>
          <ActionButton model={model} />
        </td>
      </tr>
      {trouble === null ? null : (
        <tr>
          <td colSpan={5} className="pb-2.5 pl-[18px]">
            <Trouble model={model} trouble={trouble} />
          </td>
        </tr>
      )}
    </tbody>
  );
}

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
          <b className="shrink-0 max-w-full truncate" title={model.source.path}>
            {model.id}
          </b>
          {model.pinned ? (
            <span role="img" aria-label="pinned" title="Pinned: stays loaded">
              <Pin aria-hidden className="size-3 text-mute" />
            </span>
          ) : null}
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
  const estimate = predictedBytes === null ? UNKNOWN : `est. ${formatMemory(predictedBytes)}`;
  if (!isResident(model) || measuredBytes === null) {
    return (
      <span className="text-mute" title="Estimated; measured once it is loaded">
        {estimate}
      </span>
    );
  }
  return (
    <>
      <span title="Measured">{formatMemory(measuredBytes)}</span>
      <div className="text-mute text-sm" title="Estimated before it was loaded">
        {estimate}
      </div>
    </>
  );
}

function ActionButton({ model }: { readonly model: ModelView }) {
  const pending = useApp((state) => state.pending[model.id]);
  const ask = useApp((state) => state[describeAction(model, pending).asks]);
  const action = describeAction(model, pending);
  return (
    <Button name={action.name} disabled={action.busy} onClick={() => void ask(model.id)} className="min-w-19">
      {action.label}
    </Button>
  );
}

function Trouble({ model, trouble }: { readonly model: ModelView; readonly trouble: ModelNote }) {
  const dismiss = useApp((state) => state.dismissFailure);
  const refused = trouble.kind === 'refused';
  return (
    <Notice tone={trouble.kind === 'problem' ? 'busy' : 'bad'} alert={refused}>
      <div className="flex items-start gap-2">
        <p className="max-w-[76ch]">
          <Words text={trouble.text} />
        </p>
        {refused ? (
          <Button
            look="bare"
            shape="square"
            name={`Dismiss the error of ${model.id}`}
            onClick={() => dismiss(model.id)}
            className="-my-1"
          >
            <X aria-hidden className="size-3.5" />
          </Button>
        ) : null}
      </div>
    </Notice>
  );
}
