import { Plus, TriangleAlert } from 'lucide-react';
import { memo, useState } from 'react';
import type { ModelView } from '../../../shared/contract.ts';
import { Button } from '../../components/button.tsx';
import { describeState, describeTrouble, isLocal, isResident } from '../../state/describe-model.ts';
import { formatMemory, plural } from '../../state/format.ts';
import { useApp, usePlan } from '../../state/services.tsx';
import { Trouble } from '../models/trouble.tsx';

const SHOWN_AT_FIRST = 24;

/** What is not loaded: to be pointed at, which shows on the bar what loading it would do, and to be loaded. */
export const OnDisk = memo(function OnDisk({ models }: { readonly models: readonly ModelView[] }) {
  const [all, setAll] = useState(false);
  const onDisk = models.filter((model) => isLocal(model) && !isResident(model));
  if (onDisk.length === 0) return null;
  const shown = all ? onDisk : onDisk.slice(0, SHOWN_AT_FIRST);
  return (
    <section aria-labelledby="on-disk-heading">
      <div className="mb-2 flex items-baseline justify-between gap-4">
        <h2 id="on-disk-heading" className="font-semibold">
          On disk
        </h2>
        <span className="text-mute">point at one to see its place</span>
      </div>
      <ul className="flex flex-wrap gap-2">
        {shown.map((model) => (
          <li key={model.id} className="min-w-0">
            <LoadChip model={model} />
          </li>
        ))}
        {onDisk.length > shown.length ? (
          <li className="flex items-center">
            <Button look="bare" onClick={() => setAll(true)}>
              Show all {onDisk.length}
            </Button>
          </li>
        ) : null}
      </ul>
      {onDisk.map((model) => (
        <Refusal key={model.id} model={model} />
      ))}
    </section>
  );
});

const LoadChip = memo(function LoadChip({ model }: { readonly model: ModelView }) {
  const { id, problem } = model;
  const pending = useApp((state) => state.pending[id] === 'load');
  const load = useApp((state) => state.load);
  const point = usePlan((state) => state.point);
  const leave = usePlan((state) => state.leave);
  const wrong = problem !== null || model.state.status === 'failed';
  const Icon = wrong ? TriangleAlert : Plus;
  const words = wrong || model.queuedRequests > 0 ? describeState(model).text : null;
  const bytes = model.memory.predictedBytes ?? model.fileBytes;
  return (
    <button
      type="button"
      aria-disabled={pending}
      title={problem ?? undefined}
      onPointerEnter={() => point(id)}
      onPointerLeave={() => leave(id)}
      onFocus={() => point(id)}
      onBlur={() => leave(id)}
      onClick={(event) => {
        if (!pending && event.detail < 2) void load(id);
      }}
      className="flex h-8 max-w-full select-none items-center gap-2 rounded-full border border-edge border-dashed bg-card pr-3.5 pl-2.5 hover:border-ink hover:border-solid focus-visible:border-solid aria-disabled:text-mute"
    >
      <Icon aria-hidden className={`size-3.5 shrink-0 ${wrong ? 'text-busy' : 'text-mute'}`} />
      <span className="sr-only">{pending ? 'Loading' : 'Load'}</span>{' '}
      <span className="truncate font-medium">{id}</span>{' '}
      <span className="shrink-0 text-mute text-sm">
        {pending ? 'loading' : (words ?? formatMemory(bytes))}
      </span>{' '}
      {model.queuedRequests > 0 ? (
        <span className="shrink-0 text-mute text-sm">{plural(model.queuedRequests, 'request')}</span>
      ) : null}
    </button>
  );
});

/** What was just refused, or has failed; what is merely known to be wrong stands in Models. */
function Refusal({ model }: { readonly model: ModelView }) {
  const failure = useApp((state) => state.failures[model.id]);
  const trouble = describeTrouble(model, failure);
  if (trouble === null || trouble.kind === 'problem') return null;
  return (
    <div className="mt-2.5">
      <Trouble model={model} trouble={trouble} />
    </div>
  );
}
