import type { ModelView } from '../../../shared/contract.ts';
import { Button, type ButtonLook } from '../../components/button.tsx';
import { describeAction } from '../../state/describe-model.ts';
import { useApp } from '../../state/services.tsx';

export interface ActionButtonProps {
  readonly model: ModelView;
  readonly look?: ButtonLook;
  readonly className?: string;
}

/** Loads, unloads, or cancels the load: whichever the model's state allows. */
export function ActionButton({ model, look = 'plain', className = '' }: ActionButtonProps) {
  const pending = useApp((state) => state.pending[model.id]);
  const ask = useApp((state) => state[describeAction(model, pending).asks]);
  const action = describeAction(model, pending);
  return (
    <Button
      look={look}
      name={action.name}
      disabled={action.busy}
      onClick={() => void ask(model.id)}
      className={className}
    >
      {action.label}
    </Button>
  );
}
