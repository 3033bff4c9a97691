import { formTarget, isLoopbackRedirect, redirectHost, redirectProblem } from './redirects.js';

test.each([
  ['https://app.example/callback'],
  ['https://app.example:8443/callback?x=1'],
  ['http://127.0.0.1/callback'],
  ['http://[::1]:3000/callback'],
  ['http://localhost/callback'],
])('%s may be registered', (uri) => expect(redirectProblem(uri)).toBeUndefined());

test.each([
  ['http://app.example/callback', /https/],
  ['http://127.0.0.2.evil.example/', /https/],
  ['http://localhost.evil.example/', /https/],
  ['com.example.app:/callback', /https/],
  ['javascript:alert(1)', /https/],
  ['data:text/html,x', /https/],
  ['https://app.example/callback#', /fragment/],
  ['https://app.example/#x', /fragment/],
  ['https://good.example@evil.example/', /user name/],
  ['https://*.example/callback', /wildcard/],
  ['/callback', /absolute/],
  ['', /absolute/],
  ['https://app.example/cb\r\nX: 1', /ASCII/],
  ['https://app.exa\tmple/cb', /ASCII/],
  [' https://app.example/cb', /ASCII/],
  ['https://аpp.example/cb', /ASCII/],
  ['https://app.example\\@evil.example/', /ASCII/],
])('%s may not', (uri, why) => expect(redirectProblem(uri)).toMatch(why));

test('loopback is http on one of three names', () => {
  expect(isLoopbackRedirect('http://localhost:1/')).toBe(true);
  expect(isLoopbackRedirect('https://localhost:1/')).toBe(false);
});
test('a person sees host and port', () => expect(redirectHost('http://127.0.0.1:53211/cb?x')).toBe('127.0.0.1:53211'));

test.each([
  ['https://app.example/cb', ['https://app.example']],
  ['http://127.0.0.1:3000/cb', ['http://127.0.0.1:3000']],
  ['http://[::1]:3000/cb', ['http:']],
  ['https://x.example;script-src *', []],
  ['javascript:alert(1)', []],
])('the form target of %s is %j', (uri, target) => expect(formTarget(uri)).toEqual(target));
