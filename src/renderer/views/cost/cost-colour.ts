import { modelColour } from '../../components/model-colour.ts';
import { OTHERS } from '../../state/cost-days.ts';

/** CSS colour of a part of a column. A colour never stands alone: the table and the tip name it. */
export function costColour(colour: number): string {
  return colour === OTHERS ? 'var(--edge)' : modelColour(colour);
}
