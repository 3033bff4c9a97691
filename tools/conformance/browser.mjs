/**
 * What a person with a browser does with an authorization request: opens it, signs in, says yes, and lets the browser
 * follow to the client. No scripts: cookies by path, redirects, the one form of a page.
 * @param {string} url the authorization request, as the client printed it
 * @param {{ username: string, password: string }} person
 * @throws the page where it stopped
 */
export async function allowInBrowser(url, person) {
  const { origin } = new URL(url);
  const jar = new Map();
  const send = async (to, init = {}) => {
    const target = new URL(to, origin);
    const cookies = [...jar]
      .filter(([, { path }]) => target.pathname === path || target.pathname.startsWith(path.replace(/\/?$/, '/')))
      .map(([name, { value }]) => `${name}=${value}`);
    const response = await fetch(target, {
      redirect: 'manual',
      ...init,
      // Only the origin that set cookies gets them back.
      headers: {
        accept: 'text/html',
        ...init.headers,
        ...(target.origin === origin && { cookie: cookies.join('; ') }),
      },
    });
    if (target.origin === origin) for (const line of response.headers.getSetCookie()) keep(jar, line);
    const location = response.headers.get('location');
    if (location === null) return { at: target, status: response.status, html: await response.text() };
    return send(new URL(location, target));
  };
  let page = await send(url);
  for (let turns = 0; turns < 4 && page.at.origin === origin; turns += 1) {
    const form = formIn(page.html);
    const answer = form.action.endsWith('/login') ? { ...person } : { decision: 'allow' };
    page = await send(form.action, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, ...answer }),
      headers: { origin, 'sec-fetch-site': 'same-origin' },
    });
  }
  if (page.at.origin === origin) throw new Error(`the browser was left at ${page.at.pathname} with ${page.status}`);
}

function formIn(html) {
  const action = /<form[^>]*\saction="([^"]+)"/.exec(html)?.[1];
  if (action === undefined) throw new Error(`a page without a form: ${html.replaceAll(/<[^>]*>|\s+/g, ' ').trim()}`);
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  return { action, hidden: Object.fromEntries(hidden.map(([, name, value]) => [name, value])) };
}

function keep(jar, line) {
  const [pair, ...attributes] = line.split(/;\s*/);
  const at = pair.indexOf('=');
  const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
  if (pair.slice(at + 1) === '') jar.delete(pair.slice(0, at));
  else jar.set(pair.slice(0, at), { value: pair.slice(at + 1), path });
}
