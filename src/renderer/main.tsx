import './polyfills.ts';
import './styles.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createAddStore } from './state/add-store.ts';
import { createChatStore } from './state/chat-store.ts';
import { createCostStore } from './state/cost-store.ts';
import { createModelsStore } from './state/models-store.ts';
import { createPlanStore } from './state/plan-store.ts';
import { createProvidersStore } from './state/providers-store.ts';
import { createRegisterStore } from './state/register-store.ts';
import { createRequestsStore } from './state/requests-store.ts';
import { ServicesProvider } from './state/services.tsx';
import { createSpeedStore } from './state/speed-history.ts';
import { createAppStore, followApp } from './state/store.ts';
import { createTicker } from './state/ticker.ts';
import { browserClock } from './transport/browser-clock.ts';
import { browserFrames } from './transport/browser-frames.ts';
import { chooseTransport, chooseUsageFiles } from './transport/choose-transport.ts';
import { saveFile } from './transport/save-file.ts';
import { Shell } from './views/shell.tsx';

const transport = chooseTransport();
const app = createAppStore(transport);
const requests = createRequestsStore(transport, app, browserClock);
const cost = createCostStore({ transport, clock: browserClock, fetchUsage: chooseUsageFiles(), saveFile });
const services = {
  app,
  chat: createChatStore(transport, browserClock),
  add: createAddStore(transport, browserClock),
  models: createModelsStore(transport, browserClock),
  plan: createPlanStore(transport, app, browserClock),
  providers: createProvidersStore(transport),
  register: createRegisterStore(transport),
  requests,
  cost,
  speed: createSpeedStore(app, browserClock),
  ticker: createTicker(browserClock),
};
followApp(app, transport, browserFrames, (event) => {
  requests.getState().hear(event);
  cost.getState().hear();
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    {/* The page's policy allows no inline style element. */}
    <CSPProvider disableStyleElements>
      <ServicesProvider services={services}>
        <Shell />
      </ServicesProvider>
    </CSPProvider>
  </StrictMode>,
);
