import type { PlacedModel } from '../../state/filter-models.ts';
import { ModelRow } from './model-row.tsx';

interface Column {
  readonly head: string;
  readonly className: string;
  readonly title?: string;
}

/** The first takes what the others leave. Where there is no room, what they can goes first, then the context. */
const COLUMNS: readonly Column[] = [
  { head: 'model', className: 'pr-3' },
  { head: 'state', className: 'w-34 pr-3' },
  { head: 'memory', className: 'w-26 pr-3 text-right' },
  { head: 'context', className: 'w-20 pr-3 text-right @max-[620px]:hidden' },
  { head: 'can', className: 'w-28 pr-3 @max-[800px]:hidden' },
  {
    head: 'first token p95',
    className: 'w-24 pr-3 text-right',
    title: 'How long 95 of 100 requests of the last 24 hours waited at most, of what they should',
  },
];

export function ModelsTable({ models }: { readonly models: readonly PlacedModel[] }) {
  return (
    <section aria-label="Models" className="@container">
      <table className="w-full table-fixed border-collapse @max-[560px]:block">
        <thead className="@max-[560px]:sr-only">
          <tr className="text-left align-bottom text-mute text-xs">
            {COLUMNS.map((column) => (
              <th
                key={column.head}
                scope="col"
                title={column.title}
                className={`pb-1.5 font-medium ${column.className}`}
              >
                {column.head}
              </th>
            ))}
            <th scope="col" className="w-30">
              <span className="sr-only">action</span>
            </th>
          </tr>
        </thead>
        {models.map(({ model, index }) => (
          <ModelRow key={model.id} model={model} index={index} />
        ))}
      </table>
    </section>
  );
}
