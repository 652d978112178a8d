import type { ModelSettings } from './config/settings.ts';
import type { LocalRuntime } from './local-runtime.ts';
import type { ModelFiles } from './model-files.ts';
import { type ModelSize, tooLargeFiles, tooLargeProblem } from './too-large.ts';

type KnowsModels = Pick<LocalRuntime, 'problemOf' | 'scheduler'>;

/** Why models cannot be loaded, as far as that is known without loading them: their files, and their sizes. */
export class ModelProblems {
  readonly #files: ModelFiles;
  readonly #runtime: KnowsModels;
  readonly #tell: (text: string) => void;
  #told: { readonly budgetBytes: number; readonly text: string | null } | null = null;

  constructor(files: ModelFiles, runtime: KnowsModels, tell: (text: string) => void) {
    this.#files = files;
    this.#runtime = runtime;
    this.#tell = tell;
  }

  /** In words for the user; `null` when nothing is known against it. */
  of(model: ModelSettings): string | null {
    const { problem, fileBytes } = this.#files.of(model.source.path);
    const { budgetBytes } = this.#runtime.scheduler.ledger;
    return problem ?? this.#runtime.problemOf(model.id) ?? tooLargeProblem(fileBytes, budgetBytes);
  }

  /** Says which files are larger than the budget: when the models are others, and when the budget is. */
  check(models: readonly ModelSettings[], areOthers: boolean): void {
    const { budgetBytes } = this.#runtime.scheduler.ledger;
    if (!areOthers && budgetBytes === this.#told?.budgetBytes) return;
    const text = tooLargeFiles(
      models.map((model) => this.#sizeOf(model)),
      budgetBytes,
    );
    if (text !== null && text !== this.#told?.text) this.#tell(text);
    this.#told = { budgetBytes, text };
  }

  #sizeOf({ id, source }: ModelSettings): ModelSize {
    return { id, fileBytes: this.#files.of(source.path).fileBytes };
  }
}
