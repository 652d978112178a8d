const PALETTE_SIZE = 6;

/** CSS colour of the model at `index` in the app's order. A colour never stands alone: the name is always near. */
export function modelColour(index: number): string {
  return `var(--model-${index % PALETTE_SIZE})`;
}
