import { config as authServer } from '@portcullis/auth-server/config';
import { config as mcpServer } from '@portcullis/mcp-server/config';
import { config as rateLimiter } from '@portcullis/rate-limiter/config';
import { config as securityAnalytics } from '@portcullis/security-analytics/config';
import * as z from 'zod';
import { settingsOf, type Setting } from '../settings.js';
import { table, type Column } from '../table.js';
import { defineVerb } from '../verb.js';

const SCHEMAS = {
  'auth-server': authServer,
  'mcp-server': mcpServer,
  'rate-limiter': rateLimiter,
  'security-analytics': securityAnalytics,
};

const columns: readonly Column<Setting>[] = [
  { head: 'name', of: ({ name }) => name },
  { head: 'default', of: (setting) => setting.default },
  { head: 'embedded', of: ({ embedded }) => embedded },
  { head: 'required', of: ({ required }) => required },
  { head: 'secret', of: ({ secret }) => (secret ? 'secret' : undefined) },
  { head: 'is', of: ({ says }) => says },
];

export const config = defineVerb({
  name: 'config',
  says: 'every setting of every service: its default, whether it is a secret, what it is',
  options: [{ flags: '--app <app>', says: 'of this service only', choices: Object.keys(SCHEMAS) }],
  input: z.object({ app: z.string().optional() }),
  run: async ({ app }) => {
    const apps = Object.entries(SCHEMAS).filter(([name]) => app === undefined || name === app);
    const settings = apps.map(([name, schema]) => ({ name, rows: settingsOf(name, schema) }));
    return {
      json: settings.flatMap(({ rows }) => rows),
      text: settings.map(({ name, rows }) => `${name}\n\n${table(columns, rows)}`).join('\n\n'),
    };
  },
});
