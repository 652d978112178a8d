import { useApp } from '../state/services.tsx';
import { PortBox } from './port-box.tsx';
import { VIEWS, type View } from './views.ts';

export function Sidebar(props: { readonly current: View }) {
  const desktop = useApp((state) => state.snapshot?.server.shell === 'desktop');
  return (
    <header className="flex min-h-0 flex-col border-line border-r bg-side px-2.5 pb-3">
      {/* On the desktop the window's own buttons lie over the top of the sidebar. */}
      <div className={`window-handle flex items-center gap-2 px-2.5 pb-4 ${desktop ? 'pt-13' : 'pt-6'}`}>
        <img src="./icon.svg" alt="" className="size-5" />
        <span className="font-semibold text-base tracking-tight max-md:hidden">Roundhouse</span>
      </div>
      <nav aria-label="Views">
        <ul className="flex flex-col gap-0.5">
          {VIEWS.map((view) => (
            <li key={view.id}>
              <NavLink view={view} current={view.id === props.current.id} />
            </li>
          ))}
        </ul>
      </nav>
      <PortBox />
    </header>
  );
}

function NavLink({ view, current }: { readonly view: View; readonly current: boolean }) {
  const look = current ? 'bg-accent/15 font-semibold' : 'hover:bg-ink/5';
  return (
    <a
      href={`#/${view.id}`}
      aria-current={current ? 'page' : undefined}
      aria-label={view.label}
      title={view.label}
      className={`flex items-center gap-2 rounded-md px-2.5 py-1.5 ${look}`}
    >
      <view.icon aria-hidden className={`size-4 shrink-0 ${current ? 'text-accent' : 'text-mute'}`} />
      <span className="max-md:hidden">{view.label}</span>
    </a>
  );
}
