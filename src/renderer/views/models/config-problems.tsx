import type { ServerView } from '../../../shared/contract.ts';
import { Notice } from '../../components/notice.tsx';
import { Words } from '../../components/words.tsx';
import { plural } from '../../state/format.ts';

/** What is wrong with models.yaml, where, and what holds meanwhile. */
export function ConfigProblems({ server }: { readonly server: ServerView }) {
  const problems = server.configProblems;
  if (problems.length === 0) return null;
  return (
    <section aria-label="Configuration" className="rounded-lg border border-line bg-bad-soft px-3.5 py-2.5">
      <Notice tone="bad" alert>
        <p>
          <b>{plural(problems.length, 'problem')} in the configuration.</b> The last good version stays in
          force until this is corrected.
        </p>
        <ul className="mt-1.5 flex flex-col gap-1">
          {problems.map((problem) => (
            <li key={`${problem.file}:${problem.line}:${problem.message}`}>
              <code className="mr-2 break-all font-mono text-sm">
                {problem.line === null ? problem.file : `${problem.file}:${problem.line}`}
              </code>
              <Words text={problem.message} />
            </li>
          ))}
        </ul>
      </Notice>
    </section>
  );
}
