import type { OptimizationNotesView } from '../../../../shared/provider-contract.ts';
import { Words } from '../../../components/words.tsx';
import { Section } from './section.tsx';

const TITLES: readonly (readonly [title: string, of: keyof OptimizationNotesView])[] = [
  ['Recommended for', 'recommendedFor'],
  ['Best practices', 'bestPractices'],
  ['Tips', 'tips'],
  ['Pitfalls', 'pitfalls'],
];

/** What those who know the model say of its use. */
export function Notes({ notes }: { readonly notes: OptimizationNotesView }) {
  return TITLES.filter(([, of]) => notes[of].length > 0).map(([title, of]) => (
    <Section key={of} title={title}>
      <ul className="flex list-disc flex-col gap-1 pl-4 marker:text-mute">
        {notes[of].map((note) => (
          <li key={note}>
            <Words text={note} />
          </li>
        ))}
      </ul>
    </Section>
  ));
}
