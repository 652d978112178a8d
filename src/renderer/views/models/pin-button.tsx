import { Pin } from 'lucide-react';
import type { ModelView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { useApp } from '../../state/services.tsx';

/** Whether a model stays loaded, and the switch for it. */
export function PinButton({ model }: { readonly model: ModelView }) {
  const pin = useApp((state) => state.pin);
  const { id, pinned } = model;
  return (
    <Button
      look="bare"
      shape="square"
      pressed={pinned}
      name={`Pin ${id}`}
      title={pinned ? 'Pinned: loaded at start and never unloaded to make room' : 'Pin: keep it loaded'}
      onClick={() => void pin(id, !pinned)}
    >
      <Pin aria-hidden className={`size-3.5 ${pinned ? 'fill-accent text-accent' : ''}`} />
    </Button>
  );
}
