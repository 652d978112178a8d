import { expect, it } from 'vitest';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Transport } from '../transport/transport.ts';
import { createRegisterStore } from './register-store.ts';

const MODEL = { provider: 'openai', remoteId: 'gpt-4.1' };

it('registers a model once while it is being registered, and says under which id', async () => {
  const asked: unknown[] = [];
  const call = async (...input: unknown[]) => {
    asked.push(input);
    return { id: 'gpt' };
  };
  // Nothing else is asked of the app here.
  const store = createRegisterStore({ call } as unknown as Transport);
  await Promise.all([store.getState().register(MODEL), store.getState().register(MODEL)]);
  expect(asked).toEqual([['models.addRemote', MODEL]]);
  expect(store.getState()).toMatchObject({ busy: {}, failures: {}, added: 'gpt' });
});

it('keeps the reason of a refusal until it is tried again', async () => {
  let refuses = true;
  const call = async () => {
    if (refuses) throw new RoundhouseError('config_invalid', 'models.yaml is read-only');
    return { id: 'gpt' };
  };
  // As above.
  const store = createRegisterStore({ call } as unknown as Transport);
  await store.getState().register(MODEL);
  expect(store.getState().failures['openai/gpt-4.1']?.message).toBe('models.yaml is read-only');
  refuses = false;
  await store.getState().register(MODEL);
  expect(store.getState()).toMatchObject({ failures: {}, added: 'gpt' });
});
