import { apiHeaders, pageHeaders } from './headers.js';

test('a page runs no script, is framed by nobody and posts home only', () => {
  const { 'Content-Security-Policy': policy } = pageHeaders();
  expect(policy).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
});

test('a page names where its form may lead', () => {
  expect(pageHeaders(['http://127.0.0.1:*'])['Content-Security-Policy']).toContain(
    "form-action 'self' http://127.0.0.1:*;",
  );
});

test('a page keeps what every answer carries', () => {
  const { 'Content-Security-Policy': _a, 'Referrer-Policy': _b, ...rest } = apiHeaders;
  expect(pageHeaders()).toMatchObject(rest);
});
