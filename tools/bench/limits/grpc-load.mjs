// The load over gRPC, in a process of its own: so many calls in flight, the next one as soon as one is answered.
import { credentials, Metadata } from '@grpc/grpc-js';
import { rateLimitService } from '@portcullis/rate-limiter/rate-limit.grpc';
import { at } from './percentiles.mjs';
import { question } from './service.mjs';

const { RateLimitService } = rateLimitService().envoy.service.ratelimit.v3;

process.on('message', async ({ port, token, inFlight, seconds }) => {
  const client = new RateLimitService(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const waits = [];
  let [asked, wrong] = [0, 0];
  let firstWrong;
  const began = performance.now();
  const ends = began + seconds * 1_000;
  const ask = () =>
    new Promise((resolve) => {
      const { tenant, principal, tool } = question(asked++);
      const entries = Object.entries({ principal, tool }).map(([key, value]) => ({ key, value }));
      const request = { domain: tenant, descriptors: [{ entries }] };
      const since = performance.now();
      client.ShouldRateLimit(request, metadata, (error, reply) => {
        waits.push(performance.now() - since);
        if (reply?.overallCode !== 'OK') {
          wrong += 1;
          firstWrong ??= error?.message ?? reply.overallCode;
        }
        resolve();
      });
    });
  const loop = async () => {
    while (performance.now() < ends) await ask();
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const took = (performance.now() - began) / 1_000;
  client.close();
  process.send({ calls: asked, perSecond: asked / took, p50: at(waits, 0.5), p99: at(waits, 0.99), wrong, firstWrong });
});
process.on('disconnect', () => process.exit());
