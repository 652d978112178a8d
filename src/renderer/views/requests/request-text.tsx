import type { UsageStatus, UsageText } from '../../../shared/usage-contract.ts';
import { Words } from '../../components/words.tsx';

/** What was asked and answered, where that is kept. */
export function RequestText({
  text,
  status,
}: {
  readonly text: UsageText | null;
  readonly status: UsageStatus;
}) {
  return (
    <>
      <h3 className="mt-4 mb-1.5 border-line border-t pt-3 font-semibold">Text</h3>
      {text === null ? (
        <p className="text-mute">
          <Words
            text={
              status === 'ok'
                ? 'Not kept. With `logging.content: true` in models.yaml the texts of later requests are.'
                : 'Not kept.'
            }
          />
        </p>
      ) : (
        <div className="flex flex-col gap-2">
          <Box label="Prompt" text={text.prompt} />
          <Box label="Answer" text={text.answer} />
        </div>
      )}
    </>
  );
}

function Box({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div>
      <h4 className="text-mute text-sm">{label}</h4>
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="mt-0.5 max-h-56 overflow-y-auto whitespace-pre-wrap rounded-md border border-line bg-page px-2.5 py-1.5 wrap-anywhere"
      >
        {text === '' ? <span className="text-mute">empty</span> : text}
      </section>
    </div>
  );
}
