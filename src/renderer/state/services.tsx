import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { AddState, AddStore } from './add-store.ts';
import type { ChatState, ChatStore } from './chat-store.ts';
import type { CostState, CostStore } from './cost-store.ts';
import type { ModelsState, ModelsStore } from './models-store.ts';
import type { PlanState, PlanStore } from './plan-store.ts';
import type { ProvidersState, ProvidersStore } from './providers-store.ts';
import type { RegisterState, RegisterStore } from './register-store.ts';
import type { RequestsState, RequestsStore } from './requests-store.ts';
import type { SpeedHistory, SpeedStore } from './speed-history.ts';
import type { AppState, AppStore } from './store.ts';
import type { Ticker } from './ticker.ts';

export interface Services {
  readonly app: AppStore;
  readonly chat: ChatStore;
  readonly add: AddStore;
  readonly models: ModelsStore;
  readonly plan: PlanStore;
  readonly providers: ProvidersStore;
  readonly register: RegisterStore;
  readonly requests: RequestsStore;
  readonly cost: CostStore;
  readonly speed: SpeedStore;
  readonly ticker: Ticker;
}

const ServicesContext = createContext<Services | null>(null);

export function ServicesProvider(props: { readonly services: Services; readonly children: ReactNode }) {
  return <ServicesContext value={props.services}>{props.children}</ServicesContext>;
}

function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error('a view was rendered outside ServicesProvider');
  return services;
}

/** Part of the page's picture of the app. `select` must return the same object while nothing changed. */
export function useApp<Selected>(select: (state: AppState) => Selected): Selected {
  return useStore(useServices().app, select);
}

/** Part of the conversation. `select` must return the same object while nothing changed. */
export function useChat<Selected>(select: (state: ChatState) => Selected): Selected {
  return useStore(useServices().chat, select);
}

/** Part of what is being added. `select` must return the same object while nothing changed. */
export function useAdd<Selected>(select: (state: AddState) => Selected): Selected {
  return useStore(useServices().add, select);
}

/** Part of what is looked for among the models. `select` must return the same object while nothing changed. */
export function useModels<Selected>(select: (state: ModelsState) => Selected): Selected {
  return useStore(useServices().models, select);
}

/** Part of what is pointed at and what loading it would do. */
export function usePlan<Selected>(select: (state: PlanState) => Selected): Selected {
  return useStore(useServices().plan, select);
}

/** Part of what is asked of providers. `select` must return the same object while nothing changed. */
export function useProviders<Selected>(select: (state: ProvidersState) => Selected): Selected {
  return useStore(useServices().providers, select);
}

/** Part of the registering of remote models. `select` must return the same object while nothing changed. */
export function useRegister<Selected>(select: (state: RegisterState) => Selected): Selected {
  return useStore(useServices().register, select);
}

/** Part of the list of requests. `select` must return the same object while nothing changed. */
export function useRequests<Selected>(select: (state: RequestsState) => Selected): Selected {
  return useStore(useServices().requests, select);
}

/** Part of what was spent. `select` must return the same object while nothing changed. */
export function useCost<Selected>(select: (state: CostState) => Selected): Selected {
  return useStore(useServices().cost, select);
}

/** Part of how fast each model was in the last minute. */
export function useSpeed<Selected>(select: (state: SpeedHistory) => Selected): Selected {
  return useStore(useServices().speed, select);
}

/** Wall time, renewed every second while the component is mounted. */
export function useNowMs(): number {
  const { ticker } = useServices();
  return useSyncExternalStore(ticker.subscribe, ticker.nowMs);
}
