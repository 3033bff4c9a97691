import { pageHeaders } from '@portcullis/guard/headers';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { errorPage, logoutPage, signedOutPage } from './pages.js';

/** Endpoints a person's browser is sent to; all others speak JSON, whatever the request's Accept header prefers. */
const PAGES = new Set(['authorization', 'resume', 'end_session', 'end_session_confirm', 'end_session_success']);

export function renderError(
  ctx: KoaContextWithOIDC,
  out: { readonly error: string; readonly error_description?: string | undefined },
): void {
  if (!PAGES.has(ctx.oidc.route)) {
    ctx.body = out;
    return;
  }
  const correlationId = ctx.res.getHeader('X-Correlation-Id');
  page(
    ctx,
    errorPage({
      title: out.error === 'server_error' ? 'Something went wrong' : 'This request cannot be served',
      says: out.error_description ?? 'Go back to the program that sent you here, and try again.',
      code: out.error,
      correlationId: typeof correlationId === 'string' ? correlationId : undefined,
    }),
  );
}

export const renderLogout = (ctx: KoaContextWithOIDC, form: string): void => page(ctx, logoutPage(form));
export const renderSignedOut = (ctx: KoaContextWithOIDC): void => page(ctx, signedOutPage());

function page(ctx: KoaContextWithOIDC, html: string): void {
  ctx.set(pageHeaders());
  ctx.type = 'html';
  ctx.body = html;
}
