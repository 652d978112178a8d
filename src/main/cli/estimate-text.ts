import type { EstimateView, MemorySettingsView } from '../../shared/contract.ts';
import { formatBytes } from '../../shared/units.ts';
import { printable } from './printable.ts';

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** What a file would take: what it is, the lines of the prediction, and what loading it would do. Ends without a newline. */
export function estimateText(estimate: EstimateView): string {
  const { predicted, plan, settings } = estimate;
  const rows: readonly (readonly [string, number])[] = [
    ['weights', predicted.weightsBytes],
    ['cache', predicted.cacheBytes],
    ['buffers', predicted.buffersBytes],
    ['overhead', predicted.overheadBytes],
    ['total', estimate.totalBytes],
    ['budget', plan.budgetBytes],
  ];
  return [
    `${estimate.name ?? estimate.suggestedId} · ${estimate.quantization}`,
    [
      estimate.architecture,
      `${compact.format(estimate.parameters)} parameters`,
      `${formatBytes(estimate.fileBytes)} on disk`,
      ...(estimate.trainedContextSize === null ? [] : [`trained for ${estimate.trainedContextSize} tokens`]),
      ...(estimate.registeredAs === null ? [] : [`registered as ${estimate.registeredAs}`]),
    ].join(', '),
    '',
    `With ${settingsText(settings)}:`,
    ...rows.map(([name, bytes]) => `  ${name.padEnd(8)}  ${formatBytes(bytes).padStart(10)}`),
    '',
    plan.text,
    ...fitLines(estimate),
    ...(estimate.learned ? [] : ['Until it was measured on this machine, 10 % more is reserved for it.']),
  ]
    .map(printable)
    .join('\n');
}

function fitLines({ fit, plan }: EstimateView): readonly string[] {
  if (plan.outcome !== 'never') return [];
  if (fit === null) return ['There are no settings with which it would fit.'];
  return [`The largest that fits: ${settingsText(fit)}; that takes ${formatBytes(fit.totalBytes)}.`];
}

function settingsText({ contextSize, parallel, batchSize, cacheType }: MemorySettingsView): string {
  const slots = parallel === 1 ? '1 slot' : `${parallel} slots`;
  return `${contextSize} tokens of context, ${slots}, batches of ${batchSize}, cache in ${cacheType}`;
}
