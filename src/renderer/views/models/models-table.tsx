import type { ModelView } from '../../../shared/contract.ts';
import { ModelRow } from './model-row.tsx';

const HEAD = 'pb-1.5 font-medium text-mute text-xs';

export function ModelsTable({ models }: { readonly models: readonly ModelView[] }) {
  return (
    <section aria-label="Models">
      <table className="w-full border-collapse">
        <thead>
          <tr className="text-left">
            <th scope="col" className={`${HEAD} pr-3`}>
              model
            </th>
            <th scope="col" className={`${HEAD} w-[19%] pr-3`}>
              state
            </th>
            <th scope="col" className={`${HEAD} pr-3 text-right`}>
              memory
            </th>
            <th scope="col" className={`${HEAD} pr-3 text-right`}>
              context
            </th>
            <th scope="col" className={`${HEAD} pr-4 text-right`} title="Of the last answer">
              first token, speed
            </th>
            <th scope="col" className={`${HEAD} w-24`}>
              <span className="sr-only">action</span>
            </th>
          </tr>
        </thead>
        {models.map((model, index) => (
          <ModelRow key={model.id} model={model} index={index} />
        ))}
      </table>
    </section>
  );
}
