// mcp-server as it runs with others on one Redis; only its limits are out of reach, since nothing may be refused here.
import { HOUSE_TABLE } from '@portcullis/limits/rules';
import { config } from '@portcullis/mcp-server/config';
import { startMcpServer } from '@portcullis/mcp-server/start';
import { openParts } from '@portcullis/mcp-server/wire';
import { runService } from '@portcullis/service/run-service.wire';

const table = {
  ...HOUSE_TABLE,
  version: 1,
  rules: HOUSE_TABLE.rules.map((rule) => ({
    ...rule,
    windows: rule.windows.map((each) => ({ ...each, limit: 1e12 })),
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
