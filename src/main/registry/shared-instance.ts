/** One user's hold on a shared instance; disposing it twice is disposing it once. */
export interface Hold<Instance> extends Disposable {
  readonly instance: Instance;
}

/**
 * An instance that is made on first use and shared by all who use it at a time. Once retired it is disposed as soon as
 * nobody uses it any more: whoever has it can finish.
 */
export class SharedInstance<Instance extends Disposable> {
  readonly #make: () => Promise<Instance>;
  #making: Promise<Instance> | null = null;
  #made: Instance | null = null;
  /** Those waiting for it to be made count too. */
  #users = 0;
  #retired = false;

  constructor(make: () => Promise<Instance>) {
    this.#make = make;
  }

  get users(): number {
    return this.#users;
  }

  /** Rejects with why it could not be made; the next user tries anew. */
  async use(): Promise<Hold<Instance>> {
    this.#users++;
    try {
      const instance = this.#made ?? (await this.#beingMade());
      return this.#holdOf(instance);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Nobody begins to use it after this. */
  retire(): void {
    this.#retired = true;
    this.#disposeIfLeft();
  }

  #beingMade(): Promise<Instance> {
    this.#making ??= this.#make().then(
      (instance) => {
        this.#made = instance;
        return instance;
      },
      (error: unknown) => {
        this.#making = null;
        throw error;
      },
    );
    return this.#making;
  }

  #holdOf(instance: Instance): Hold<Instance> {
    let held = true;
    return {
      instance,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#leave();
      },
    };
  }

  #leave(): void {
    this.#users--;
    this.#disposeIfLeft();
  }

  #disposeIfLeft(): void {
    if (!this.#retired || this.#users > 0) return;
    const instance = this.#made;
    this.#made = null;
    instance?.[Symbol.dispose]();
  }
}
