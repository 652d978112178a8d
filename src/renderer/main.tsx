import './polyfills.ts';
import './styles.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createChatStore } from './state/chat-store.ts';
import { ServicesProvider } from './state/services.tsx';
import { createAppStore, followApp } from './state/store.ts';
import { createTicker } from './state/ticker.ts';
import { browserClock } from './transport/browser-clock.ts';
import { chooseTransport } from './transport/choose-transport.ts';
import { Shell } from './views/shell.tsx';

const transport = chooseTransport();
const app = createAppStore(transport);
const services = {
  app,
  chat: createChatStore(transport, browserClock),
  ticker: createTicker(browserClock),
};
followApp(app, transport);

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
