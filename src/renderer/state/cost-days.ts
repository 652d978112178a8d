import type { CostSum, CostsView } from '../../shared/usage-contract.ts';

/** What costs most has a colour of its own; the rest share one. */
export const MOST_COLOURS = 5;
/** Place of the colour of everything else. */
export const OTHERS = -1;

/** A key of what costs are shown by, with its colour. */
export interface CostKeyLook {
  readonly key: string | null;
  /** 0 to 4 for the dearest, else `OTHERS`. */
  readonly colour: number;
}

export interface DayPart {
  readonly colour: number;
  readonly nanoDollars: number;
}

export interface DayColumn {
  /** `2026-11-21` */
  readonly day: string;
  /** Of everything with a known price. */
  readonly nanoDollars: number;
  readonly requests: number;
  /** Answers whose price is not known: the column would be higher. */
  readonly unpriced: number;
  /** From the bottom, in the order of colours, others last. */
  readonly parts: readonly DayPart[];
  readonly keys: readonly (CostSum & { readonly key: string | null })[];
}

export interface CostChart {
  readonly columns: readonly DayColumn[];
  readonly colours: readonly CostKeyLook[];
  /** Where the scale ends; at least a cent, so that a chart of nothing is flat. */
  readonly topNanoDollars: number;
  readonly ticks: readonly number[];
}

const CENT = 10_000_000;

/** One column a day from the first day asked for to the last, days without requests too. */
export function layOutDays(costs: CostsView): CostChart {
  const colours = coloursOf(costs);
  const colourOf = new Map(colours.map(({ key, colour }) => [key, colour]));
  const byDay = Map.groupBy(costs.days, (sum) => sum.day);
  const columns = daysBetween(costs).map((day): DayColumn => {
    const keys = byDay.get(day) ?? [];
    const total = (figureOf: (sum: CostSum) => number) => keys.reduce((sum, key) => sum + figureOf(key), 0);
    const parts = [...Map.groupBy(keys, ({ key }) => colourOf.get(key) ?? OTHERS)]
      .map(([colour, sums]) => ({
        colour,
        nanoDollars: sums.reduce((sum, key) => sum + (key.costNanoDollars ?? 0), 0),
      }))
      .filter((part) => part.nanoDollars > 0)
      .toSorted((a, b) => rank(a.colour) - rank(b.colour));
    return {
      day,
      nanoDollars: total((sum) => sum.costNanoDollars ?? 0),
      requests: total((sum) => sum.requests),
      unpriced: total((sum) => sum.unpriced),
      parts,
      keys,
    };
  });
  const highest = Math.max(CENT, ...columns.map((column) => column.nanoDollars));
  const step = stepFor(highest);
  const steps = Math.ceil(highest / step);
  return {
    columns,
    colours,
    topNanoDollars: steps * step,
    ticks: Array.from({ length: steps + 1 }, (_, index) => index * step),
  };
}

function coloursOf({ keys }: CostsView): readonly CostKeyLook[] {
  return keys.map(({ key, costNanoDollars }, index) => ({
    key,
    colour: index < MOST_COLOURS && (costNanoDollars ?? 0) > 0 ? index : OTHERS,
  }));
}

function rank(colour: number): number {
  return colour === OTHERS ? MOST_COLOURS : colour;
}

/** Between the lines of the scale: 1, 2 or 5 of a power of ten, so that there are two to five of them. */
function stepFor(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest / 2));
  const factor = [1, 2, 5, 10].find((candidate) => highest / (candidate * power) <= 5) ?? 10;
  return factor * power;
}

/** The app names days by its own time zone, so the first and the last are also those that it named. */
function daysBetween({ days, fromMs, toMs }: CostsView): readonly string[] {
  const named = days.map(({ day }) => day).toSorted();
  const first = [dayOf(fromMs), ...named.slice(0, 1)].toSorted()[0] ?? '';
  const last = [dayOf(toMs - 1), ...named.slice(-1)].toSorted().at(-1) ?? '';
  const all: string[] = [];
  for (let day = first; day <= last; day = dayAfter(day)) all.push(day);
  return all;
}

/** In this page's time zone. */
function dayOf(atMs: number): string {
  const at = new Date(atMs);
  return isoDay(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()));
}

function dayAfter(day: string): string {
  return isoDay(Date.parse(`${day}T00:00:00Z`) + 86_400e3);
}

function isoDay(utcMs: number): string {
  return new Date(utcMs).toISOString().slice(0, 10);
}
