// biome-ignore-all lint/suspicious/noTemplateCurlyInString: models.yaml names variables this way
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { pinModel } from './pin-model.ts';

test.each([
  ['models:\n  a:\n    file: a\n', 'models:\n  a:\n    file: a\n    pinned: true\n'],
  ['models:\n  a:\n    file: a', 'models:\n  a:\n    file: a\n    pinned: true\n'],
  ['models:\n  a: { file: a }   # mine', 'models:\n  a: { file: a, pinned: true }   # mine'],
  ['models: {a: {file: a}}', 'models: {a: {file: a, pinned: true}}'],
  [
    'models:\n  a: {\n    file: "a", # the file\n  }\n  b: { file: b }\n',
    'models:\n  a: {\n    file: "a", pinned: true, # the file\n  }\n  b: { file: b }\n',
  ],
  [
    'models:\n    a:   # mine\n        file:   a  # here\n        sampling:\n            topK: 4 # few\n\n    # next\n    b: { file: b }\n',
    'models:\n    a:   # mine\n        file:   a  # here\n        sampling:\n            topK: 4 # few\n        pinned: true\n\n    # next\n    b: { file: b }\n',
  ],
  [
    'models:\n  a:\n    systemPrompt: |\n      One.\n\n      Two.\n    file: a\n    parallel: 2\n',
    'models:\n  a:\n    systemPrompt: |\n      One.\n\n      Two.\n    file: a\n    parallel: 2\n    pinned: true\n',
  ],
  ['models:\n  7: { file: a }\n', 'models:\n  7: { file: a, pinned: true }\n'],
])('pinned: %j', (before, after) => {
  const id = Object.keys(parse(before).models)[0] ?? '';
  expect(pinModel(before, id, true)).toBe(after);
});

test.each([
  [
    'models:\n  a:\n    file: a\n    pinned: true # for now\n    # end\n',
    'models:\n  a:\n    file: a\n    # end\n',
  ],
  ['models:\n  a:\n    pinned: true\n    file: a', 'models:\n  a:\n    file: a'],
  ['models:\n  a:\n    file: a\n    pinned: true', 'models:\n  a:\n    file: a\n'],
  ['models:\n  a: { file: a, pinned: true } # x', 'models:\n  a: { file: a } # x'],
  ['models:\n  a: { pinned: true, file: a }', 'models:\n  a: { file: a }'],
  ['models: { a: { file: a, pinned: true, parallel: 1 } }', 'models: { a: { file: a, parallel: 1 } }'],
  [
    'models:\n  a: { file: a, # kept\n       pinned: true }\n',
    'models:\n  a: { file: a, # kept\n        }\n',
  ],
])('no longer pinned: %j', (before, after) => {
  expect(pinModel(before, 'a', false)).toBe(after);
});

test('a value that is there is replaced, and one that is not needs no edit', () => {
  const text = 'models:\n  a: { pinned: false, file: a } # x\n  b:\n    pinned: ${PIN} # y\n    file: b\n';
  expect(pinModel(text, 'a', true)).toBe(text.replace('false', 'true'));
  expect(pinModel(text, 'b', true)).toBe(text.replace('${PIN}', 'true'));
  expect(pinModel('models: { a: { file: a } }', 'a', false)).toBe('models: { a: { file: a } }');
});

test('an entry that stands for others too, or for something else, is left alone', () => {
  const shared = 'models:\n  a: &x { file: a }\n  b: *x\n';
  for (const id of ['a', 'b']) {
    expect(() => pinModel(shared, id, true)).toThrow(
      `the entry of "${id}" in models.yaml is written in a way that cannot be changed; write \`pinned: true\` there yourself`,
    );
  }
  const strange = 'models:\n  a:\n    ? pinned\n    : true\n    file: a\n';
  expect(() => pinModel(strange, 'a', false)).toThrow('take `pinned` out there yourself');
});

test('pinning and unpinning gives back every character, whatever stands around', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9 .:#"'-]{0,8}$/).map((text) => JSON.stringify(text));
  const space = fc.constantFrom('', ' ', '  # note', ' # pinned: true');
  const block = fc
    .tuple(word, space, fc.boolean())
    .map(
      ([file, end, more]) => `\n    file: ${file}${end}\n${more ? `    aliases:${end}\n      - x\n` : ''}`,
    );
  const flow = fc.tuple(word, space).map(([file, end]) => ` {file: ${file} , parallel: 1 }${end}\n`);
  const entries = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(block, flow)), {
    minLength: 1,
    selector: ([id]) => id,
  });
  fc.assert(
    fc.property(entries, fc.nat(), fc.constantFrom('', '# end\n', 'tiers: {}\n'), (models, pick, tail) => {
      const text = `# top\nmodels:\n${models.map(([id, entry]) => `  ${id}:${entry}`).join('')}${tail}`;
      const id = models[pick % models.length]?.[0] ?? '';
      const pinned = pinModel(text, id, true);
      expect(parse(pinned).models[id]).toEqual({ ...parse(text).models[id], pinned: true });
      expect(pinModel(pinned, id, false)).toBe(text);
    }),
  );
});
