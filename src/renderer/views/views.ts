import { Boxes, Coins, Gauge, type LucideIcon, MessageSquare, Plug, ScrollText } from 'lucide-react';
import type { ComponentType } from 'react';
import { CostView } from './cost/cost-view.tsx';
import { ModelsView } from './models/models-view.tsx';
import { OverviewView } from './overview/overview-view.tsx';
import { PlaygroundView } from './playground/playground-view.tsx';
import { ProvidersView } from './providers/providers-view.tsx';
import { RequestsView } from './requests/requests-view.tsx';

export interface View {
  /** Address after `#/`. */
  readonly id: string;
  readonly label: string;
  readonly icon: LucideIcon;
  readonly component: ComponentType;
}

const OVERVIEW: View = { id: 'overview', label: 'Overview', icon: Gauge, component: OverviewView };

/** What the sidebar lists, in its order. A view is listed when it exists, never before. */
export const VIEWS: readonly View[] = [
  OVERVIEW,
  { id: 'models', label: 'Models', icon: Boxes, component: ModelsView },
  { id: 'requests', label: 'Requests', icon: ScrollText, component: RequestsView },
  { id: 'cost', label: 'Cost', icon: Coins, component: CostView },
  { id: 'playground', label: 'Playground', icon: MessageSquare, component: PlaygroundView },
  { id: 'providers', label: 'Providers', icon: Plug, component: ProvidersView },
];

/** The view of an address; the first one for addresses that nobody knows. */
export function viewOf(route: string): View {
  return VIEWS.find((view) => view.id === route) ?? OVERVIEW;
}
