import { layout, text } from './pages.js';

export interface BootstrapPage {
  readonly token: string;
  readonly formToken: string;
  /** what was wrong with the last try */
  readonly problem?: string | undefined;
  readonly username?: string | undefined;
}

/** Where the first administrator chooses how to sign in. */
export const bootstrapPage = (page: BootstrapPage): string =>
  layout(
    'First administrator',
    `<h1>Become the first administrator</h1>
<p>Choose the name and the password that you will sign in with. This page works once.</p>
${page.problem === undefined ? '' : `<p class="problem" role="alert">${text(page.problem)}</p>`}
<form method="post" action="/bootstrap/${text(page.token)}">
<input type="hidden" name="form_token" value="${text(page.formToken)}">
<label>User name <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64" value="${text(page.username ?? '')}"></label>
<label>Password, 15 characters at least <input name="password" type="password" autocomplete="new-password" required minlength="15" maxlength="256"></label>
<label>The same password again <input name="again" type="password" autocomplete="new-password" required minlength="15" maxlength="256"></label>
<button>Make me administrator</button>
</form>`,
  );

export const bootstrapDonePage = (username: string): string =>
  layout(
    'Done',
    `<h1>You are the administrator</h1>
<p>Sign in as <strong>${text(username)}</strong> wherever a program of yours asks for it. This link works no more.</p>`,
  );
