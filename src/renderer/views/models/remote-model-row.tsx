import { Check } from 'lucide-react';
import type { RemoteModelView } from '../../../shared/provider-contract.ts';
import { Failure } from '../../components/failure.tsx';
import { describePrice } from '../../state/describe-price.ts';
import { formatContext, formatCount } from '../../state/format.ts';
import { refOf } from '../../state/register-store.ts';
import { useRegister } from '../../state/services.tsx';
import { CapabilityIcons } from './capability-icons.tsx';
import { RegisterButton } from './register-button.tsx';
import { StageChip } from './stage-chip.tsx';
import { useRegisteredId } from './use-registered-id.ts';

export interface RemoteModelRowProps {
  readonly model: RemoteModelView;
  /** Where the list is not of one provider. */
  readonly withProvider?: boolean;
}

/** A model that a provider has, in a narrow list: what it is, what it can, what it costs, and whether it is registered. */
export function RemoteModelRow({ model, withProvider = false }: RemoteModelRowProps) {
  const registeredAs = useRegisteredId(model);
  const failure = useRegister((state) => state.failures[refOf(model)]);
  return (
    <li className={`border-line border-t py-2 ${withProvider ? '' : 'first:border-t-0'}`}>
      <div className="flex items-start gap-3">
        <div className="mr-auto min-w-0">
          <div className="flex flex-wrap items-center gap-x-1.5">
            <b className="wrap-anywhere">{model.name}</b>
            <StageChip stage={model.stage} />
          </div>
          <p className="truncate font-mono text-mute text-xs" title={model.remoteId}>
            {withProvider ? refOf(model) : model.remoteId}
          </p>
        </div>
        {registeredAs === null ? (
          <RegisterButton model={model} />
        ) : (
          <span className="flex h-7 min-w-0 max-w-32 items-center gap-1 text-mute">
            <Check aria-hidden className="size-3.5 shrink-0 text-good" />
            <span className="truncate" title={`Registered as ${registeredAs}`}>
              <span className="sr-only">registered as </span>
              {registeredAs}
            </span>
          </span>
        )}
      </div>
      <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-mute text-sm">
        {model.contextSize === null ? null : (
          <span title={`${formatCount(model.contextSize)} tokens`}>
            {formatContext(model.contextSize)} context
          </span>
        )}
        <span title="For a million tokens">{describePrice(model.price)}</span>
        <CapabilityIcons capabilities={model.capabilities} />
      </div>
      {model.replacement === null ? null : (
        <p className="mt-1 text-sm">
          Use <b>{model.replacement}</b> instead.
        </p>
      )}
      {failure === undefined ? null : <Failure error={failure} className="mt-2" />}
    </li>
  );
}
