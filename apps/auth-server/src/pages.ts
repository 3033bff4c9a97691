/**
 * The pages a person sees: plain HTML that works without scripts, styles in one sheet of our own (PAGE_STYLE). Every
 * value that goes in passes `text`.
 */
export interface Asker {
  /** the client's name, as whoever registered it wrote it */
  readonly client: string;
  /** host and port the answer goes to */
  readonly redirectHost: string;
}

export const PAGE_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { width: min(26rem, 90vw); padding: 2rem 0; }
h1 { font-size: 1.4rem; }
label { display: block; margin-top: 1rem; }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
button { margin: 1.5rem .5rem 0 0; padding: .5rem 1.5rem; font: inherit; }
.problem { border-left: .25rem solid #c00; padding-left: .75rem; }
.where { opacity: .8; }
code { overflow-wrap: anywhere; }
`;

export const STYLE_PATH = '/interaction/style.css';

export interface LoginPage extends Asker {
  readonly interactionId: string;
  readonly formToken: string;
  /** what was wrong with the last try */
  readonly problem?: string | undefined;
  readonly username?: string | undefined;
}

export const loginPage = (page: LoginPage): string =>
  layout(
    'Sign in',
    `<h1>Sign in</h1>
<p>to go on to <strong>${text(page.client)}</strong></p>
${page.problem === undefined ? '' : `<p class="problem" role="alert">${text(page.problem)}</p>`}
<form method="post" action="/interaction/${text(page.interactionId)}/login">
<input type="hidden" name="form_token" value="${text(page.formToken)}">
<label>User name <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64" value="${text(page.username ?? '')}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="256"></label>
<button>Sign in</button><button formaction="/interaction/${text(page.interactionId)}/cancel" formnovalidate>Cancel</button>
</form>
${whereTo(page)}`,
  );

export interface ConsentPage extends Asker {
  readonly interactionId: string;
  readonly formToken: string;
  readonly username: string;
  /** what each scope means, in words */
  readonly scopes: readonly string[];
}

export const consentPage = (page: ConsentPage): string =>
  layout(
    'Allow access?',
    `<h1>Allow <q>${text(page.client)}</q> to act for you?</h1>
<p>You are signed in as <strong>${text(page.username)}</strong>. If you allow it, it may:</p>
<ul>
${page.scopes.map((scope) => `<li>${text(scope)}</li>`).join('\n')}
</ul>
<form method="post" action="/interaction/${text(page.interactionId)}/consent">
<input type="hidden" name="form_token" value="${text(page.formToken)}">
<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button>
</form>
${whereTo(page)}`,
  );

export interface ErrorPage {
  readonly title: string;
  readonly says: string;
  /** an error code of OAuth, for whoever builds the client */
  readonly code?: string | undefined;
  readonly correlationId?: string | undefined;
}

export const errorPage = (page: ErrorPage): string =>
  layout(
    page.title,
    `<h1>${text(page.title)}</h1>
<p>${text(page.says)}</p>
${page.code === undefined ? '' : `<p>Error: <code>${text(page.code)}</code></p>`}
${page.correlationId === undefined ? '' : `<p class="where">Reference: <code>${text(page.correlationId)}</code></p>`}`,
  );

/** @param form oidc-provider's own form, with its id `op.logoutForm`; made by it, not by a caller */
export const logoutPage = (form: string): string =>
  layout(
    'Sign out',
    `<h1>Sign out?</h1>
${form}
<button form="op.logoutForm" name="logout" value="yes">Sign out</button><button form="op.logoutForm">Stay signed in</button>`,
  );

export const signedOutPage = (): string => layout('Signed out', '<h1>You are signed out</h1>');

const whereTo = ({ redirectHost }: Asker): string =>
  `<p class="where">The answer goes to <code>${text(redirectHost)}</code>. If you did not start this, close the page.</p>`;

export const layout = (title: string, body: string): string => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)} - Portcullis</title>
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body><main>
${body}
</main></body>
</html>
`;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Safe between tags and inside a quoted attribute. Characters that turn text around or hide are shown as blanks. */
export const text = (value: string): string =>
  value
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
