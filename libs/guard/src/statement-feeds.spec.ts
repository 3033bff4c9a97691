import type { Bus } from '@portcullis/bus/bus';
import { memoryBus } from '@portcullis/bus/bus.memory';
import { statementFeedContract } from './statement-feed.contract.js';

// Services of one process share its bus, where two replicas of one would be one group twice.
statementFeedContract(() => {
  const shared = memoryBus();
  let processes = 0;
  const bus = (): Bus => {
    const own = (processes += 1);
    return { ...shared, subscribe: (topic, group, handle) => shared.subscribe(topic, `${group}-${own}`, handle) };
  };
  return { bus, close: () => shared.close() };
});
