/**
 * Shares CPU threads out among engines. ggml's threads spin while they wait for each other, so engines that together
 * have more threads than there are cores fall to a crawl: one core stays free for the app, each engine has at least one.
 * @param cores performance cores of the machine
 * @returns threads for one engine that leaves the choice to us
 */
export function sharedThreads(cores: number, engines: number): number {
  return Math.max(1, Math.floor((cores - 1) / Math.max(1, engines)));
}
