import { memo } from 'react';
import type { ModelView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { isResident } from '../../state/describe-model.ts';
import { useAdd } from '../../state/services.tsx';
import { EngineCard } from './engine-card.tsx';

export interface EngineGridProps {
  readonly models: readonly ModelView[];
  /** How many models more may be loaded. */
  readonly stalls: number;
}

/** A card for each engine, and an empty one while there is room. */
export const EngineGrid = memo(function EngineGrid({ models, stalls }: EngineGridProps) {
  return (
    <section aria-label="Engines" className="grid grid-cols-[repeat(auto-fill,minmax(212px,1fr))] gap-3">
      {models.map((model, index) =>
        isResident(model) ? <EngineCard key={model.id} model={model} index={index} /> : null,
      )}
      {stalls > 0 ? <FreeStall /> : null}
    </section>
  );
});

function FreeStall() {
  const open = useAdd((state) => state.open);
  return (
    <div className="flex flex-col items-center justify-center gap-0.5 rounded-[10px] border border-edge border-dashed px-3.5 py-3 text-center text-mute">
      <b className="text-ink">A stall is free</b>
      <p>Drop a GGUF file anywhere, or load a model.</p>
      <Button
        look="link"
        className="mt-1.5"
        onClick={() => {
          open();
          window.location.hash = '#/models';
        }}
      >
        Add model
      </Button>
    </div>
  );
}
