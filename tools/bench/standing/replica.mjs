// A replica that hears of standings: says when each change counts here.
import { platformaticBus } from '@portcullis/bus/bus.platformatic.kafka';
import { silentLog } from '@portcullis/contract/log';
import { localKeys } from '@portcullis/guard/jwks.http';
import { standingFeed } from '@portcullis/guard/standing-feed';

const { BROKER, JWKS, AGENTS } = process.env;
const agents = Number(AGENTS);
const bus = platformaticBus({ brokers: [BROKER], clientId: `bench-${process.pid}`, topicPrefix: '', log: silentLog });
const keys = localKeys(JSON.parse(JWKS));
const feed = await standingFeed(bus, `bench-${process.pid}`, {
  keysOf: () => keys,
  now: Date.now,
  uptime: () => performance.now(),
  log: silentLog,
});

/** Those next in turn are looked at so often, as a call of theirs would. */
const LOOK_EVERY_MS = 2;
const NEXT = 64;
const waiting = new Set(Array.from({ length: agents }, (_, i) => i));
const heard = [];
const look = () => {
  let looked = 0;
  for (const i of waiting) {
    if ((looked += 1) > NEXT) break;
    if (feed.stateOf({ tenant: 'default', principal: `agt_${i}` }) === 'Normal') continue;
    waiting.delete(i);
    heard.push([i, performance.timeOrigin + performance.now()]);
  }
  if (waiting.size > 0) return;
  clearInterval(looking);
  process.send({ heard });
};
const looking = setInterval(look, LOOK_EVERY_MS);
process.on('message', async () => {
  await feed.stop();
  await bus.close();
  process.disconnect();
});
process.send({ ready: true });
