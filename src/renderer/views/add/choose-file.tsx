import { FolderOpen } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button } from '../../components/button.tsx';
import { useAdd, useApp } from '../../state/services.tsx';

/** A file chooser, and a field for a path. */
export function ChooseFile() {
  const addFiles = useAdd((state) => state.addFiles);
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <div className="mt-2 flex flex-col gap-4">
      <div className="flex flex-col items-center gap-2 rounded-lg border border-edge border-dashed bg-page px-3 py-5 text-center">
        <p className="text-mute">Drop GGUF files anywhere in this window, or</p>
        <Button onClick={() => chooser.current?.click()}>
          <FolderOpen aria-hidden className="size-3.5" />
          Choose files
        </Button>
        <input
          ref={chooser}
          type="file"
          accept=".gguf"
          multiple
          hidden
          onChange={(event) => {
            addFiles([...(event.target.files ?? [])]);
            // The same file may be chosen again.
            event.target.value = '';
          }}
        />
      </div>
      <PathField />
    </div>
  );
}

/** For a file that the app can reach itself: nothing is copied. */
export function PathField() {
  const [path, setPath] = useState('');
  const addPath = useAdd((state) => state.addPath);
  const server = useApp((state) => state.snapshot?.server);
  const submit = () => addPath(path);
  return (
    <div>
      <label htmlFor="add-path">Path of a file</label>
      <div className="mt-1 flex gap-2">
        <input
          id="add-path"
          type="text"
          spellCheck={false}
          autoComplete="off"
          placeholder="/models/Qwen3-8B-Q4_K_M.gguf"
          aria-describedby="add-path-hint"
          value={path}
          onChange={(event) => setPath(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.nativeEvent.isComposing) submit();
          }}
          className="h-7 min-w-0 flex-1 rounded-md border border-edge bg-field px-2"
        />
        <Button disabled={path.trim() === ''} onClick={submit}>
          Read
        </Button>
      </div>
      <p id="add-path-hint" className="mt-1 text-mute text-sm">
        {server?.shell === 'headless'
          ? `On the machine that Roundhouse runs on (${server.machine}). The file is used where it lies.`
          : 'The file is used where it lies.'}
      </p>
    </div>
  );
}
