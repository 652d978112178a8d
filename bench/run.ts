import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/*
 * `npm run bench` lists the benches; `npm run bench -- overhead` runs one of them.
 */

const HELPERS = new Set([
  'run',
  'timed-chat',
  'figures',
  'watch-frames',
  'make-model',
  'make-tokenizer',
  'measure-engine',
]);
const benches = readdirSync(import.meta.dirname)
  .flatMap((name) => /^([a-z-]+)\.ts$/.exec(name)?.[1] ?? [])
  .filter((name) => !HELPERS.has(name));

const [name, ...rest] = process.argv.slice(2);
if (name === undefined) {
  console.log(
    `Benches: ${benches.join(', ')}\nRun one with: npm run bench -- NAME [its options]; README.md here says how to read them.`,
  );
} else if (!benches.includes(name)) {
  console.error(`There is no bench "${name}". There are: ${benches.join(', ')}`);
  process.exitCode = 1;
} else {
  const { status } = spawnSync(process.execPath, [`${import.meta.dirname}/${name}.ts`, ...rest], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
