import { expect, test } from 'vitest';
import { checkedBaseUrl } from './base-url.ts';

const own = { port: 4141, hosts: ['10.0.0.7', 'my-mac.local'] };

test.each([
  ['https://api.openai.com/v1', 'https://api.openai.com/v1'],
  ['https://api.openai.com/v1//', 'https://api.openai.com/v1'],
  ['http://mac-studio.local:4141/v1', 'http://mac-studio.local:4141/v1'],
  ['http://localhost:11434/v1', 'http://localhost:11434/v1'],
  ['http://[::1]:8000', 'http://[::1]:8000/'],
])('%s may be asked', (text, expected) => {
  expect(checkedBaseUrl('x', text, own).href).toBe(expected);
});

test.each([
  ['nonsense', 'is no address'],
  ['ftp://host/v1', 'http:// or https://'],
  ['file:///etc/passwd', 'http:// or https://'],
  ['http://me:secret@host/v1', 'holds a password'],
  ['http://host/v1?key=secret', 'without ? and #'],
  ['http://169.254.169.254/latest', 'link-local'],
  ['http://2852039166/latest', 'link-local'],
  ['http://0xa9.0xfe.0xa9.0xfe/', 'link-local'],
  ['http://[fe80::1]/v1', 'link-local'],
  ['http://[::ffff:169.254.169.254]/v1', 'link-local'],
  ['http://localhost:4141/v1', 'own address'],
  ['http://LOCALHOST:4141/v1', 'own address'],
  ['http://localhost.:4141/v1', 'own address'],
  ['http://127.1:4141/v1', 'own address'],
  ['http://0.0.0.0:4141/v1', 'own address'],
  ['http://[::1]:4141/v1', 'own address'],
  ['http://[::ffff:127.0.0.1]:4141/v1', 'own address'],
  ['http://10.0.0.7:4141', 'own address'],
  ['http://My-Mac.local:4141', 'own address'],
])('%s is refused: it %s', (text, why) => {
  let message = '';
  try {
    checkedBaseUrl('x', text, own);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain(why);
  expect(message).not.toContain('secret');
});

test('our own port is only ours while we listen', () => {
  expect(checkedBaseUrl('x', 'http://localhost:4141/v1', null).port).toBe('4141');
});
