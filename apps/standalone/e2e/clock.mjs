// For `node --import`: moves the clock of a process on by 400 s whenever it gets SIGUSR2, and says so.
const STEP_MS = 400_000;
const real = Date;
let skipped = 0;
const now = () => real.now() + skipped;

process.on('SIGUSR2', () => {
  skipped += STEP_MS;
  console.error(`the clock is ${skipped / 1000} s ahead`);
});
globalThis.Date = new Proxy(real, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, key) => (key === 'now' ? now : target[key]),
});
