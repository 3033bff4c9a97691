// Stand-in for testcontainers/ryuk: same TCP protocol on 8080 (a line of filters "label=k=v&label=..." answered by "ACK"),
// when no client has been connected for RYUK_RECONNECTION_TIMEOUT (10s) it removes what matches and exits.
// It carries the session's label itself, so it skips its own container.
import net from 'node:net';
import http from 'node:http';
import os from 'node:os';
const ms = (v, d) => {
  const m = /^(\d+)(ms|s|m)?$/.exec(v ?? '');
  return m ? m[1] * { ms: 1, s: 1e3, m: 6e4 }[m[2] ?? 's'] : d;
};
const FIRST = ms(process.env.RYUK_CONNECTION_TIMEOUT, 60e3),
  AGAIN = ms(process.env.RYUK_RECONNECTION_TIMEOUT, 10e3);
const filters = new Set();
let open = 0,
  timer;
const api = (method, path) =>
  new Promise((ok, bad) => {
    const r = http.request({ socketPath: '/var/run/docker.sock', method, path }, (s) => {
      let b = '';
      s.on('data', (d) => (b += d)).on('end', () => ok({ code: s.statusCode, body: b }));
    });
    r.on('error', bad);
    r.end();
  });
const arm = (t) => {
  clearTimeout(timer);
  timer = setTimeout(prune, t);
};
const server = net.createServer((c) => {
  open++;
  clearTimeout(timer);
  let buf = '';
  c.setEncoding('utf8');
  c.on('data', (d) => {
    buf += d;
    for (let i; (i = buf.indexOf('\n')) >= 0;) {
      const l = buf.slice(0, i).trim();
      buf = buf.slice(i + 1);
      if (l) {
        filters.add(l);
        console.log('filter', l);
        c.write('ACK\n');
      }
    }
  });
  c.on('error', () => {});
  c.on('close', () => {
    if (--open === 0) arm(AGAIN);
  });
});
async function prune() {
  const n = { containers: 0, networks: 0, volumes: 0 };
  for (const f of filters) {
    const label = new URLSearchParams(f).getAll('label');
    if (!label.length) continue;
    const q = encodeURIComponent(JSON.stringify({ label }));
    for (let round = 0; round < 5; round++) {
      let left = 0;
      for (const c of JSON.parse((await api('GET', `/containers/json?all=1&filters=${q}`)).body)) {
        if (c.Id.startsWith(os.hostname()) || c.Labels['org.testcontainers.ryuk'] === 'true') continue;
        left++;
        if ((await api('DELETE', `/containers/${c.Id}?force=1&v=1`)).code < 300) n.containers++;
      }
      for (const x of JSON.parse((await api('GET', `/networks?filters=${q}`)).body)) {
        left++;
        if ((await api('DELETE', `/networks/${x.Id}`)).code < 300) n.networks++;
      }
      for (const v of JSON.parse((await api('GET', `/volumes?filters=${q}`)).body).Volumes ?? []) {
        left++;
        if ((await api('DELETE', `/volumes/${v.Name}?force=1`)).code < 300) n.volumes++;
      }
      if (!left) break;
      await new Promise((r) => setTimeout(r, 300));
    }
  }
  console.log('Removed', JSON.stringify(n));
  process.exit(0);
}
server.listen(8080, '0.0.0.0', () => {
  console.log('Started');
  arm(FIRST);
});
process.on('SIGTERM', prune);
