import { consentPage, errorPage, loginPage, logoutPage, PAGE_STYLE, signedOutPage } from './pages.js';

const EVIL = `"><script>alert(1)</script>' onx=\u202e`;
const asker = { client: EVIL, redirectHost: EVIL, interactionId: EVIL, formToken: EVIL };
const pages = {
  login: loginPage({ ...asker, problem: EVIL, username: EVIL }),
  consent: consentPage({ ...asker, username: EVIL, scopes: [EVIL] }),
  error: errorPage({ title: EVIL, says: EVIL, code: EVIL, correlationId: EVIL }),
};

test.each(Object.entries(pages))('nothing that goes into the %s page comes out as markup', (_name, html) => {
  expect(html).not.toMatch(/<script|onx=[^\s&]|"'|\u202e/);
  expect(html).toContain('&quot;&gt;&lt;script&gt;');
});

test.each([
  ...Object.entries(pages),
  ['logout', logoutPage('<form id="op.logoutForm"></form>')],
  ['signed out', signedOutPage()],
])('the %s page needs no script, no inline style and nothing from elsewhere', (_name, html) => {
  expect(html.replaceAll('&lt;script', '')).not.toMatch(/<script|style=|javascript:|https?:\/\/|@import/);
  expect(PAGE_STYLE).not.toMatch(/url\(|@import/);
});

test('the login page names the client and where the answer goes, and keeps the user name that was typed', () => {
  const html = loginPage({
    client: 'Helper',
    redirectHost: '127.0.0.1:1',
    interactionId: 'i',
    formToken: 't',
    username: 'sam',
  });
  expect(html).toMatch(/<strong>Helper<\/strong>[^]*value="sam"[^]*<code>127\.0\.0\.1:1<\/code>/);
});
test('the consent page says in words what it allows', () => {
  const html = consentPage({
    client: 'Helper',
    redirectHost: 'h',
    interactionId: 'i',
    formToken: 't',
    username: 'sam',
    scopes: ['Read one customer'],
  });
  expect(html).toMatch(/signed in as <strong>sam<\/strong>[^]*<li>Read one customer<\/li>/);
});
