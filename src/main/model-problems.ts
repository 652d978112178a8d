import type { ModelSettings } from './config/settings.ts';
import type { ModelFiles } from './model-files.ts';
import type { Scheduler } from './scheduler/scheduler.ts';
import { type ModelSize, tooLargeFiles, tooLargeProblem } from './too-large.ts';

/** Why models cannot be loaded, as far as that is known without loading them: their files, and their sizes. */
export class ModelProblems {
  readonly #files: ModelFiles;
  readonly #scheduler: Pick<Scheduler, 'ledger' | 'models'>;
  readonly #tell: (text: string) => void;
  #told: { readonly budgetBytes: number; readonly text: string | null } | null = null;

  constructor(
    files: ModelFiles,
    scheduler: Pick<Scheduler, 'ledger' | 'models'>,
    tell: (text: string) => void,
  ) {
    this.#files = files;
    this.#scheduler = scheduler;
    this.#tell = tell;
  }

  /** In words for the user; `null` when nothing is known against it. */
  of(model: ModelSettings): string | null {
    const { problem } = this.#files.of(model.source.path);
    return problem ?? tooLargeProblem(this.#sizeOf(model), this.#scheduler.ledger.budgetBytes);
  }

  /** Says which files are larger than the budget: when the models are others, and when the budget is. */
  check(models: readonly ModelSettings[], areOthers: boolean): void {
    const { budgetBytes } = this.#scheduler.ledger;
    if (!areOthers && budgetBytes === this.#told?.budgetBytes) return;
    const text = tooLargeFiles(
      models.map((model) => this.#sizeOf(model)),
      budgetBytes,
    );
    if (text !== null && text !== this.#told?.text) this.#tell(text);
    this.#told = { budgetBytes, text };
  }

  #sizeOf({ id, source }: ModelSettings): ModelSize {
    const { fileBytes } = this.#files.of(source.path);
    return { id, fileBytes, neededBytes: this.#scheduler.models.get(id)?.neededBytes ?? null };
  }
}
