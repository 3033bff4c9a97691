// mcp-server as it runs with others on one Redis; only its limits are out of reach, since nothing may be refused here.
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { config } from '@portcullis/mcp-server/config';
import { startMcpServer } from '@portcullis/mcp-server/start';
import { openParts } from '@portcullis/mcp-server/wire';
import { runService } from '@portcullis/service/run-service.wire';

/**
 * A window remembers when each of its requests was. So short a one holds as many of them under this load as a minute holds of
 * an agent at the limits of the house.
 */
const WINDOW_MS = 100;
const table = {
  ...HOUSE_TABLE,
  version: 1,
  rules: HOUSE_TABLE.rules.map((rule) => ({
    ...rule,
    windows: rule.windows.map(() => ({ limit: 1e12, windowMs: WINDOW_MS })),
  })),
};

process.on('disconnect', () => process.exit());
await runService({
  config,
  start: startMcpServer,
  async parts(settings) {
    const parts = await openParts(settings);
    parts.rules.take(table);
    await parts.bus.subscribe('portcullis.events', 'bench', async () => {});
    return parts;
  },
});
