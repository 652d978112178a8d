import { expect, test } from 'vitest';
import { apiKey } from '../fakes/fake-gateway-ports.ts';
import { listening } from './harness.ts';

/* What is read of usage by others than the interface, and models that are in no list. */

const ADMIN = { authorization: 'Bearer the-admin-token' };

test('metrics are for whoever may use the API', async () => {
  const { url, ports } = await listening();
  const response = await fetch(`${url}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  expect(await response.text()).toBe('a_metric 1\n');
  expect(
    (await fetch(`${url}/metrics`, { method: 'POST', headers: { 'content-type': 'application/json' } }))
      .status,
  ).toBe(405);
  ports.apiKeys = [apiKey('sk-ann')];
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
});

test('the export is a file, narrowed as asked, for the administrator', async () => {
  const { url, ports } = await listening();
  const address = `${url}/admin/usage/export`;
  const csv = await fetch(`${address}?model=demo&fromMs=5&status=ok`, { headers: ADMIN });
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(csv.headers.get('content-disposition')).toBe('attachment; filename="roundhouse-usage.csv"');
  expect(await csv.text()).toBe('id,model\n1,demo\n');
  const jsonl = await fetch(`${address}?format=jsonl`, { headers: ADMIN });
  expect(jsonl.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  await jsonl.text();
  expect(ports.exports).toEqual([
    { format: 'csv', filters: { model: 'demo', fromMs: 5, status: 'ok' } },
    { format: 'jsonl', filters: {} },
  ]);
  expect((await fetch(address)).status).toBe(401);
  for (const wrong of ['format=xml', 'modle=a', 'fromMs=soon']) {
    expect((await fetch(`${address}?${wrong}`, { headers: ADMIN })).status).toBe(400);
  }
});

test('a model of a provider that is in no list is answered for all the same', async () => {
  const { url, ports } = await listening();
  ports.route = (asked) => ({
    asked: asked ?? 'auto',
    modelId: 'openai/gpt',
    reason: 'gpt/gpt → openai/gpt',
  });
  const response = await fetch(`${url}/models/gpt/gpt`);
  expect(await response.json()).toMatchObject({ id: 'openai/gpt', object: 'model', owned_by: 'openai' });
});
