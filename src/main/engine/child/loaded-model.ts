import { readFile } from 'node:fs/promises';
import type { Llama, LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { EngineRequest, StreamPart, Usage } from '../../../shared/generation.ts';
import type { LoadedInfo, LoadRequest } from '../protocol.ts';
import type { EngineHeader, TokenizerFacts } from '../protocol-estimate.ts';
import type { FromChildOfPrefixes, HeldPrefix, PrefixToSave } from '../protocol-prefix.ts';
import { createModel } from './create-model.ts';
import { Gate } from './gate.ts';
import { generate } from './generate.ts';
import { PrefixCache } from './prefix-cache.ts';
import type { FoundState, SavedState } from './saved-states.ts';
import { chooseSlot, commonPrefixLength, type SlotView } from './slots.ts';
import { CHATML_TEMPLATE, type ChatTemplate, checkTemplateBytes, compileTemplate } from './template.ts';
import { checkVocabulary, tokenizePrompt, type Vocabulary } from './tokenize.ts';

interface Slot {
  /** Another one after a state could not be restored into it. */
  sequence: LlamaContextSequence;
  busy: boolean;
  lastUsed: number;
}

/** One model with its context and slots. Disposing it gives its memory back, as far as llama.cpp does. */
export class LoadedModel {
  readonly info: LoadedInfo;
  readonly #model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #template: ChatTemplate;
  readonly #slots: Slot[];
  readonly #gate: Gate;
  readonly #prefixes: PrefixCache;
  readonly #vocabulary: Vocabulary;
  #uses = 0;

  private constructor(parts: {
    info: LoadedInfo;
    header: EngineHeader;
    model: LlamaModel;
    context: LlamaContext;
    template: ChatTemplate;
    gate: Gate;
    prefixes: PrefixCache;
  }) {
    this.info = parts.info;
    this.#model = parts.model;
    this.#context = parts.context;
    this.#template = parts.template;
    this.#gate = parts.gate;
    this.#prefixes = parts.prefixes;
    const { vocabularySize, tokenizer } = parts.header;
    this.#vocabulary = { size: vocabularySize, longestTokenBytes: tokenizer.longestTokenBytes };
    this.#slots = Array.from({ length: parts.context.totalSequences }, () => ({
      sequence: parts.context.getSequence(),
      busy: false,
      lastUsed: 0,
    }));
  }

  /** @throws whatever llama.cpp says, or RoundhouseError for the template; nothing stays allocated then */
  static async load(
    llama: Llama,
    request: LoadRequest,
    signal: AbortSignal,
    onProgress: (progress: number) => void,
    onPrefix: (message: FromChildOfPrefixes) => void,
  ): Promise<LoadedModel> {
    const { settings } = request;
    llama.maxThreads = request.threads;
    const startMs = performance.now();
    const model = await createModel(llama, {
      path: request.path,
      header: request.header,
      gpuLayers: settings.gpuLayers,
      signal,
      onProgress,
    });
    try {
      const template = await templateOf(model, request.header.tokenizer, settings.chatTemplateFile);
      const loadedMs = performance.now();
      const context = await model.createContext({
        sequences: settings.parallel,
        // Beyond what it was trained for a model writes nonsense, at full price in memory.
        contextSize: Math.min(settings.contextSize, model.trainContextSize),
        batchSize: settings.batchSize,
        flashAttention: settings.flashAttention,
        experimentalKvCacheKeyType: CACHE_TYPE[settings.cacheType],
        experimentalKvCacheValueType: CACHE_TYPE[settings.cacheType],
        // Resolved against `llama.maxThreads`, which the app moves while engines come and go.
        threads: { ideal: 0, min: 1 },
        createSignal: signal,
        // Admission is the app's: it knows every engine, the library only its own process.
        ignoreMemorySafetyChecks: true,
        // A context that was silently made smaller would refuse prompts that it promised to take.
        failedCreationRemedy: false,
      });
      const info: LoadedInfo = {
        contextSize: context.contextSize,
        trainContextSize: model.trainContextSize,
        loadMs: loadedMs - startMs,
        contextMs: performance.now() - loadedMs,
        weightsBytes: model.memoryUsage.ram + model.memoryUsage.vram,
        contextBytes: context.memoryUsage.ram + context.memoryUsage.vram,
      };
      const gate = new Gate();
      const prefixes = new PrefixCache({
        context,
        gate,
        offer: request.prefixes,
        report: onPrefix,
        monotonicMs: () => performance.now(),
      });
      return new LoadedModel({ info, header: request.header, model, context, template, gate, prefixes });
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  async generate(
    request: EngineRequest,
    signal: AbortSignal,
    emit: (part: StreamPart) => void,
  ): Promise<void> {
    const biased = request.sampling.logitBias.map(([token]) => token);
    checkVocabulary(this.#vocabulary, biased, 'logit_bias');
    const prompt = tokenizePrompt(this.#model, this.#template, request.prompt, {
      ...this.info,
      vocabulary: this.#vocabulary,
    });
    const startMs = performance.now();
    const { slot, restorable } = this.#take(prompt, await this.#prefixes.find(prompt));
    let usage: Usage | null = null;
    let restored = false;
    try {
      if (restorable && !signal.aborted) restored = await this.#prefixes.restore(slot, restorable);
      await generate({
        sequence: slot.sequence,
        gate: this.#gate,
        prompt,
        request,
        contextSizes: this.info,
        batchSize: this.#context.batchSize,
        signal,
        emit: (part) => {
          if (part.type === 'usage') usage = part;
          emit(part);
        },
        startMs,
        monotonicMs: () => performance.now(),
      });
    } finally {
      slot.busy = false;
      this.#prefixes.answered(usage, restored, this.#slots);
    }
  }

  /** What the slots hold that could be saved. */
  listPrefixes(): Promise<HeldPrefix[]> {
    return this.#prefixes.list(this.#slots);
  }

  /** @returns why not all were saved; `null` when all were */
  savePrefixes(dir: string, saves: readonly PrefixToSave[]): Promise<string | null> {
    return this.#prefixes.save(this.#slots, dir, saves);
  }

  async dispose(): Promise<void> {
    await this.#context.dispose();
    await this.#model.dispose();
  }

  /** @param found the saved state that shares most with the prompt; `restorable` when it is quicker than the slots are */
  #take(
    prompt: readonly number[],
    found: FoundState | null,
  ): { readonly slot: Slot; readonly restorable: SavedState | null } {
    const views: SlotView[] = this.#slots.map((slot) => ({
      busy: slot.busy,
      tokens: slot.busy ? [] : slot.sequence.contextTokens,
      lastUsed: slot.lastUsed,
    }));
    const choice = chooseSlot(views, prompt);
    const heldTokens = commonPrefixLength(views[choice]?.tokens ?? [], prompt);
    const isRestored =
      found !== null && this.#prefixes.isWorthRestoring(found.state, found.tokens - heldTokens);
    // A state from disk shares nothing with any slot: it takes the place of the one used longest ago.
    const slot = this.#slots[isRestored ? chooseSlot(views, []) : choice];
    // The app grants no more leases than there are slots.
    if (!slot) throw new RoundhouseError('internal_error', 'all slots of this engine are busy');
    slot.busy = true;
    slot.lastUsed = ++this.#uses;
    return { slot, restorable: isRestored ? found.state : null };
  }
}

/** As GGUF writes token types. */
const NORMAL_TOKEN = 1;

const CACHE_TYPE = { f16: 'F16', q8_0: 'Q8_0', q4_0: 'Q4_0' } as const;

async function readTemplate(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const what = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
    const message =
      `the chat template ${file} ${what}; put it there, or mend chatTemplate of this model in models.yaml ` +
      '(without it the template in the model file is used)';
    throw new RoundhouseError('model_load_failed', message, { cause: error });
  }
}

async function templateOf(
  model: LlamaModel,
  tokenizer: TokenizerFacts,
  file: string | null,
): Promise<ChatTemplate> {
  if (file === null) checkTemplateBytes(tokenizer.chatTemplateBytes);
  const source = file === null ? tokenizer.chatTemplate : await readTemplate(file);
  // Of normal tokens that look like markup llama.cpp takes some for control tokens. (The library brands token ids; these
  // are the vocabulary's own.)
  const isSpecial = ({ id, type }: { readonly id: number; readonly type: number }) =>
    type !== NORMAL_TOKEN || model.getTokenAttributes(id as Token).control;
  return compileTemplate({
    source: source ?? CHATML_TEMPLATE,
    bosText: model.tokens.bosString ?? '',
    eosText: model.tokens.eosString ?? '',
    specialTexts: tokenizer.specialTokens.filter(isSpecial).map(({ text }) => text),
  });
}
