/** Servers that speak OpenAI's chat completions, each a little otherwise. */
export type Flavour = 'openai' | 'openrouter' | 'groq' | 'vllm' | 'llama.cpp' | 'ollama' | 'lm-studio';
