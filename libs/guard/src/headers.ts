/** What every answer of every API carries. The OWASP REST headers; APIs serve nothing a browser should render. */
export const apiHeaders = {
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'interest-cohort=()',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const satisfies Readonly<Record<string, string>>;

/** How long to wait, as a header; none when that is not known. @see RFC 9110 §10.2.3: whole seconds */
export const retryHeader = (retryAfterMs: number | undefined): Readonly<Record<string, string>> =>
  retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };

/**
 * What pages (login, consent) carry instead: their own style sheet, their own forms, no script, no frame.
 * @param formTargets sources a form's answer may redirect to; Chromium holds `form-action` against redirects too, so the
 *   consent page names the client's redirect origin
 */
export const pageHeaders = (formTargets: readonly string[] = []): Readonly<Record<string, string>> => ({
  ...apiHeaders,
  'Content-Security-Policy': [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  // not no-referrer: with it browsers send `Origin: null` with our own forms
  'Referrer-Policy': 'same-origin',
});
