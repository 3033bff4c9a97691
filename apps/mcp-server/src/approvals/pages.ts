import { statusOf, type ApprovalRecord } from '@portcullis/guard/approvals';
import { inert, inertJson } from './inert.js';

/* The HTML of the pages on which people approve calls; approvals.controller.ts serves them. */

export const APPROVALS_PATH = '/approvals';
export const STYLE_PATH = `${APPROVALS_PATH}/style.css`;

export const PAGE_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { width: min(44rem, 90vw); padding: 2rem 0; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
dt { opacity: .8; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
pre { max-height: 50vh; overflow: auto; padding: .75rem; border: 1px solid; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; direction: ltr; text-align: left; }
button { margin: 1rem .5rem 0 0; padding: .5rem 1.5rem; font: inherit; }
.problem { border-left: .25rem solid #c00; padding-left: .75rem; }
code { overflow-wrap: anywhere; }
`;

export interface Viewer {
  /** the user's id of whoever is signed in */
  readonly who: string;
  readonly formToken: string;
}

/** One call, as the person sees it who decides. @param now ms since epoch */
export function approvalPage(record: ApprovalRecord, { who, formToken }: Viewer, now: number): string {
  const status = statusOf(record, now);
  const own = record.sub === who;
  const decided = record.decisions.find(({ by }) => by === who);
  const yes = record.decisions.filter((decision) => decision.yes).length;
  const told =
    status !== 'waiting'
      ? TOLD[status]
      : own
        ? 'This call is made in your name, so somebody else has to decide.'
        : decided
          ? 'You approved it. Another person has to, too.'
          : undefined;
  const form = `<form method="post" action="${APPROVALS_PATH}/${inert(record.id)}">
<input type="hidden" name="form_token" value="${inert(formToken)}">
<button name="decision" value="approve">Approve</button><button name="decision" value="refuse">Refuse</button>
</form>`;
  return layout(
    'Approve a call?',
    `<h1>May an agent call <code>${inert(record.tool)}</code>?</h1>
<dl>
<dt>Agent</dt><dd><code>${inert(record.clientId)}</code>, <code>${inert(record.principal)}</code></dd>
<dt>For</dt><dd>${record.sub === undefined ? 'no person: the agent acts by itself' : `<code>${inert(record.sub)}</code>`}</dd>
<dt>Task</dt><dd>${record.task === undefined ? 'none' : `<code>${inert(record.task)}</code>`}</dd>
<dt>Open until</dt><dd>${new Date(record.expiresAt).toISOString()}</dd>
<dt>Approved by</dt><dd>${yes} of ${record.needed}</dd>
</dl>
<p>Arguments, all of them:</p>
<pre tabindex="0">${inertJson(record.arguments)}</pre>
<p>Whatever stands there was written by the agent. It asks nothing of you but a yes or a no to exactly this call.</p>
${told === undefined ? form : `<p class="problem" role="status">${told}</p>`}`,
  );
}

const TOLD = {
  approved: 'It is approved. The agent can call now, once.',
  refused: 'It was refused, and will not be executed.',
  used: 'It was approved and has been used.',
  expired: 'It has expired.',
} as const;

export interface ProblemPage {
  readonly title: string;
  readonly says: string;
  /** where the person can go on */
  readonly next?: { readonly href: string; readonly says: string } | undefined;
  readonly correlationId?: string | undefined;
}

export const problemPage = ({ title, says, next, correlationId }: ProblemPage): string =>
  layout(
    title,
    `<h1>${inert(title)}</h1>
<p>${inert(says)}</p>
${next === undefined ? '' : `<p><a href="${inert(next.href)}">${inert(next.says)}</a></p>`}
${correlationId === undefined ? '' : `<p>Reference: <code>${inert(correlationId)}</code></p>`}`,
  );

const layout = (title: string, body: string): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="format-detection" content="telephone=no, date=no, email=no, address=no, url=no">
<title>${inert(title)} - Portcullis</title>
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body><main>
${body}
</main></body>
</html>
`;
