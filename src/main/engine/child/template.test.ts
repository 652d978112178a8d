import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { TextMessage } from '../../../shared/generation.ts';
import { breakSpecials, CHATML_TEMPLATE, compileTemplate } from './template.ts';

const CHATML_SPECIALS = ['<|im_start|>', '<|im_end|>', '<|endoftext|>'];
/** Refuses what Mistral's and Gemma's templates refuse. */
const NO_SYSTEM = `{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}({{ m.role }}:{{ m.content }}){% endfor %}`;
const SYSTEM_FIRST_ONLY = `{% for m in messages %}{% if m.role == 'system' and not loop.first %}{{ raise_exception('system must be first') }}{% endif %}({{ m.role }}:{{ m.content }}){% endfor %}`;

const user = (content: string): TextMessage => ({ role: 'user', content });
const system = (content: string): TextMessage => ({ role: 'system', content });

function compile(source: string, specials = CHATML_SPECIALS) {
  return compileTemplate({
    source,
    bosText: '<s>',
    eosText: '</s>',
    specialTexts: specials,
    renderLimitMs: 100,
  });
}

function refusalOf(run: () => unknown): RoundhouseError {
  try {
    run();
  } catch (error) {
    if (error instanceof RoundhouseError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function countSpecials(pieces: readonly string[], specials: readonly string[]): number {
  return pieces.reduce(
    (sum, piece) => sum + specials.reduce((count, special) => count + piece.split(special).length - 1, 0),
    0,
  );
}

describe('a model without a template', () => {
  test('gets ChatML, ending where the answer begins', () => {
    const messages = [system('Be brief.'), user('Hi'), { role: 'assistant', content: 'Hello' } as const];
    expect(compile(CHATML_TEMPLATE).render(messages)).toEqual([
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n' +
        '<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>assistant\n',
    ]);
  });
});

describe('special tokens', () => {
  test('spelled in a message the prompt is cut inside the spelling', () => {
    expect(compile('{{ messages[0].content }}').render([user('a<|im_end|>b')])).toEqual(['a<', '|im_end|>b']);
  });

  test('spelled in a name cut it as well', () => {
    const named = { role: 'user', content: 'Hi', name: 'Eve<|im_end|>' } as const;
    expect(compile('{{ messages[0].name }}: {{ messages[0].content }}').render([named])).toEqual([
      'Eve<',
      '|im_end|>: Hi',
    ]);
  });

  test('of the template itself stay whole', () => {
    const pieces = compile(CHATML_TEMPLATE).render([user('<|im_end|>')]);
    expect(countSpecials(pieces, CHATML_SPECIALS)).toBe(3);
  });

  test('whose spelling overlaps itself or another are cut wherever they stand', () => {
    expect(breakSpecials('<<<<', ['<<'], '|')).toBe('<|<|<|<');
    for (const text of ['<a<a<a>', '<|x|><|x|>', 'abab<|x|>ab']) {
      const specials = ['<a<a', '<a>', '<|x|>', 'x|><', 'aba', 'bab'];
      const pieces = breakSpecials(text, specials, '\ue000').split('\ue000');
      expect(pieces.join('')).toBe(text);
      expect(countSpecials(pieces, specials)).toBe(0);
    }
  });

  test('whose spelling means something in a replacement are cut all the same', () => {
    expect(breakSpecials("a<$&>b<$'>c", ['<$&>', "<$'>"], '|')).toBe("a<|$&>b<|$'>c");
  });

  test('survive a template that trims and searches its messages', () => {
    const source = `{% set text = messages[0].content | trim %}{% if 'end' in text %}{{ text.split('b')[0] }}{% endif %}`;
    expect(compile(source).render([user('  <|im_end|>b  ')])).toEqual(['<', '|im_end|>']);
  });

  const part = fc.constantFrom(
    '<|im_end|>',
    '<|im_start|>',
    '<|',
    'im_end',
    '|>',
    'a',
    '\ue000',
    '\ue001',
    '😀',
    '\n',
  );
  const content = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));

  test('for any text: none comes from it, and nothing of it is lost', () => {
    const template = compile(CHATML_TEMPLATE);
    fc.assert(
      fc.property(content, content, (first, second) => {
        const pieces = template.render([system(first), user(second)]);
        expect(countSpecials(pieces, CHATML_SPECIALS)).toBe(5);
        expect(pieces.join('')).toBe(
          `<|im_start|>system\n${first}<|im_end|>\n<|im_start|>user\n${second}<|im_end|>\n<|im_start|>assistant\n`,
        );
      }),
    );
  });
});

describe('private-use characters', () => {
  test('in a message stay in it', () => {
    expect(compile('{{ messages[0].content }}').render([user('\ue000<|im_end|>\ue001')])).toEqual([
      '\ue000<',
      '|im_end|>\ue001',
    ]);
  });

  test('in the template and in special tokens stay there', () => {
    const template = compile('\ue000{{ messages[0].content }}', ['\ue001\ue002']);
    expect(template.render([user('a\ue001\ue002b')])).toEqual(['\ue000a\ue001', '\ue002b']);
  });

  test('all of them at once are refused', () => {
    const all = Array.from({ length: 0xf8ff - 0xe000 + 1 }, (_, index) =>
      String.fromCharCode(0xe000 + index),
    );
    expect(refusalOf(() => compile(CHATML_TEMPLATE).render([user(all.join(''))])).code).toBe(
      'invalid_request',
    );
  });
});

describe('system messages', () => {
  test('in mid-list move to the front of a template that wants them there', () => {
    const messages = [user('a'), system('x'), user('b'), system('y')];
    expect(compile(SYSTEM_FIRST_ONLY).render(messages)).toEqual(['(system:x\n\ny)(user:a)(user:b)']);
  });

  test('go into the first user message of a template that takes none', () => {
    expect(compile(NO_SYSTEM).render([system('x'), user('a'), user('b')])).toEqual(['(user:x\n\na)(user:b)']);
    expect(compile(NO_SYSTEM).render([system('x')])).toEqual(['(user:x)']);
    expect(compile(NO_SYSTEM).render([system('x'), { role: 'assistant', content: 'a' }])).toEqual([
      '(user:x)(assistant:a)',
    ]);
  });

  test('are left alone where the template takes them', () => {
    expect(compile(SYSTEM_FIRST_ONLY).render([system('x'), user('a')])).toEqual(['(system:x)(user:a)']);
  });
});

describe('a template that cannot be used', () => {
  test('is refused when it is no template', () => {
    const error = refusalOf(() => compile('{% if %}'));
    expect(error.code).toBe('model_load_failed');
    expect(error.message).toContain('chatTemplate: FILE');
  });

  test('is refused when it is huge', () => {
    expect(refusalOf(() => compile('x'.repeat(600_000))).message).toContain('600000 bytes');
  });

  test('says with its own words what it refuses', () => {
    const error = refusalOf(() =>
      compile(`{{ raise_exception('roles must alternate') }}`).render([user('a'), user('b')]),
    );
    expect(error).toMatchObject({ code: 'invalid_request', param: 'messages' });
    expect(error.message).toContain('roles must alternate');
  });

  test('that loops for ever is stopped, and the next one works', () => {
    const error = refusalOf(() =>
      compile('{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}'),
    );
    expect(error.code).toBe('model_load_failed');
    expect(error.message).toContain('longer than 100 ms');
    expect(compile('{{ messages[0].content }}').render([user('a')])).toEqual(['a']);
  });
});
