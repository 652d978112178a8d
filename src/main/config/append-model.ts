import type { MemorySettingsView } from '../../shared/contract.ts';
import { escapeEnvironment } from '../yaml/yaml-source.ts';
import { appendEntry } from './append-entry.ts';

/** A model to write into models.yaml. */
export interface NewModel {
  readonly id: string;
  /** `null` leaves the name to the id. */
  readonly name: string | null;
  /** Absolute path of the GGUF file. */
  readonly file: string;
  /** Those left out are the defaults, also when these change. */
  readonly settings: Readonly<Partial<MemorySettingsView>>;
  readonly pinned: boolean;
}

/** As `appendEntry`, for a model of this machine. */
export function appendModel(text: string, model: NewModel): string {
  return appendEntry(text, 'models', model.id, {
    ...(model.name === null ? {} : { name: escapeEnvironment(model.name) }),
    file: escapeEnvironment(model.file),
    ...model.settings,
    ...(model.pinned ? { pinned: true } : {}),
  });
}
