import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { ChatState, ChatStore } from './chat-store.ts';
import type { AppState, AppStore } from './store.ts';
import type { Ticker } from './ticker.ts';

export interface Services {
  readonly app: AppStore;
  readonly chat: ChatStore;
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

/** Wall time, renewed every second while the component is mounted. */
export function useNowMs(): number {
  const { ticker } = useServices();
  return useSyncExternalStore(ticker.subscribe, ticker.nowMs);
}
