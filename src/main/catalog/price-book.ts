import type { ConfigProblem } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
import type { ParsedFile, ParsedFolder } from './parsed-files.ts';
import type { PriceConditions, PriceVersion } from './price.ts';
import type { Pricing, PricingEntry } from './pricing-schema.ts';

/** The prices of both folders: the user's behind the shipped ones, so that on the same day they win. */
export class PriceBook {
  readonly problems: readonly ConfigProblem[];
  readonly #shipped: ReadonlyMap<string, ParsedFile<Pricing>>;
  readonly #own: ReadonlyMap<string, ParsedFile<Pricing>>;
  readonly #broken: ReadonlySet<string>;

  constructor(shipped: ParsedFolder, own: ParsedFolder) {
    const problems: ConfigProblem[] = [];
    this.#shipped = byProvider(shipped, problems);
    this.#own = byProvider(own, problems);
    this.#broken = new Set([...shipped.withoutPrices, ...own.withoutPrices]);
    this.problems = problems;
  }

  /** The versions of a price by effective date; on one day as they are written. Empty where there is none. */
  versionsOf(provider: string, ref: string): readonly PriceVersion[] {
    const name = `${provider}/${ref}`;
    return [
      ...versions(name, entriesOf(this.#shipped.get(provider), ref)),
      ...versions(`user:${name}`, entriesOf(this.#own.get(provider), ref)),
    ].sort((a, b) => a.effectiveMs - b.effectiveMs);
  }

  /** What to say of a price that is referred to and is not there; `null` when the file that may have had it is broken. */
  missing(provider: string, ref: string): string | null {
    if (this.#broken.has(provider)) return null;
    const known = [this.#shipped, this.#own].flatMap((files) =>
      Object.keys(files.get(provider)?.value.models ?? {}),
    );
    const near = likelyName(ref, known);
    const what = near === null ? 'add it there' : `did you mean "${near}"?`;
    return `pricingRef: there are no prices of "${ref}" in pricing/${provider}.yaml; ${what}`;
  }
}

function byProvider(
  folder: ParsedFolder,
  problems: ConfigProblem[],
): ReadonlyMap<string, ParsedFile<Pricing>> {
  const files = new Map<string, ParsedFile<Pricing>>();
  for (const parsed of folder.pricing) {
    const other = files.get(parsed.provider);
    if (other) {
      const message = `the prices of ${parsed.provider} are already in ${other.file}; put them into one file`;
      problems.push({ file: parsed.file, line: null, message });
    } else files.set(parsed.provider, parsed);
  }
  return files;
}

function entriesOf(parsed: ParsedFile<Pricing> | undefined, ref: string): readonly PricingEntry[] {
  const models = parsed?.value.models ?? {};
  // A model may be called `constructor`.
  return Object.hasOwn(models, ref) ? (models[ref] ?? []) : [];
}

/** Ids count the entries of one day in one file, so that what is added elsewhere leaves them as they were. */
function versions(name: string, entries: readonly PricingEntry[]): readonly PriceVersion[] {
  const counts = new Map<string, number>();
  return entries.map((entry) => {
    const count = (counts.get(entry.effectiveDate) ?? 0) + 1;
    counts.set(entry.effectiveDate, count);
    return {
      id: `${name}@${entry.effectiveDate}${count === 1 ? '' : `#${count}`}`,
      effectiveDate: entry.effectiveDate,
      effectiveMs: Date.parse(entry.effectiveDate),
      input: entry.input,
      output: entry.output,
      cachedInput: entry.cachedInput ?? null,
      cacheWrite: entry.cacheWrite ?? null,
      currency: entry.currency,
      conditions: conditionsOf(entry.when ?? {}),
      notes: entry.notes ?? null,
      source: entry.source ?? null,
    };
  });
}

function conditionsOf(when: NonNullable<PricingEntry['when']>): PriceConditions {
  const { context, time, region, volume } = when;
  return {
    context: context ? { above: context.above ?? -1, upTo: context.upTo ?? null } : null,
    time: time ?? null,
    region: region ?? null,
    monthVolumeAbove: volume?.above ?? null,
  };
}
