import type { LocalModelSettings } from './config/settings.ts';
import type { LocalRuntime } from './local-runtime.ts';
import type { ModelFiles } from './model-files.ts';
import { type ModelSize, tooLargeFile, tooLargeModels } from './too-large.ts';

/** Why models cannot be loaded, as far as that is known without loading them: their files, and their sizes. */
export class ModelProblems {
  readonly #files: Pick<ModelFiles, 'of'>;
  readonly #runtime: Pick<LocalRuntime, 'problemOf' | 'neededBytes' | 'budgetBytes'>;
  readonly #tell: (text: string) => void;
  /** Which budget is too small for whom, as last told. */
  #told = '';

  constructor(
    files: Pick<ModelFiles, 'of'>,
    runtime: Pick<LocalRuntime, 'problemOf' | 'neededBytes' | 'budgetBytes'>,
    tell: (text: string) => void,
  ) {
    this.#files = files;
    this.#runtime = runtime;
    this.#tell = tell;
  }

  /** In words for the user; `null` when nothing is known against it. */
  of({ id, source }: LocalModelSettings): string | null {
    const { problem, fileBytes } = this.#files.of(source.path);
    const known = problem ?? this.#runtime.problemOf(id);
    // Until its header was read its file has to do.
    if (known !== null || fileBytes === null || this.#runtime.neededBytes(id) !== null) return known;
    return tooLargeFile(fileBytes, this.#runtime.budgetBytes);
  }

  /** Says which models are larger than the budget, when there are others than before or the budget is another. */
  check(models: readonly LocalModelSettings[]): void {
    const { budgetBytes } = this.#runtime;
    const sizes = models.flatMap((model) => this.#sizeOf(model));
    const tooLarge = sizes.filter(({ bytes }) => bytes > budgetBytes);
    const about = tooLarge.length === 0 ? '' : [budgetBytes, ...tooLarge.map(({ id }) => id)].join(' ');
    if (about === this.#told) return;
    this.#told = about;
    const text = tooLargeModels(sizes, budgetBytes);
    if (text !== null) this.#tell(text);
  }

  #sizeOf({ id, source }: LocalModelSettings): ModelSize[] {
    const bytes = this.#runtime.neededBytes(id) ?? this.#files.of(source.path).fileBytes;
    return bytes === null ? [] : [{ id, bytes }];
  }
}
