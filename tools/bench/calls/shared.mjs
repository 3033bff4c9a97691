// What every peer shares: where its tokens come from, and the tool's records.
export const SCOPE = 'customer:read';
export const RESOURCE = 'https://mcp.example.test/mcp';
export const TOOL = { name: 'get_customer', description: 'Look up one customer' };
/** The customer that every call asks for, and words of its record that every good answer holds. */
export const ASKED = 'CUST-000042';
export const IN_ANSWER = 'Customer 42';

export const issuer = process.env.BENCH_ISSUER;
export const port = Number(process.env.BENCH_PORT);

const records = new Map(
  Array.from({ length: 1000 }, (_, i) => {
    const id = `CUST-${String(i).padStart(6, '0')}`;
    const tier = ['free', 'pro', 'ent'][i % 3];
    const rest = { tier, since: '2024-05-01', balance: i * 1.25, open_tickets: i % 7 };
    return [id, { id, name: `Customer ${i}`, email: `c${i}@example.test`, ...rest }];
  }),
);
export const record = (id) => records.get(id);

/** The tool as the peers have it: the record as text. */
export function lookUp(id) {
  const found = record(id);
  return found === undefined
    ? { content: [{ type: 'text', text: 'not found' }], isError: true }
    : { content: [{ type: 'text', text: JSON.stringify(found) }] };
}

/** For the servers: says that calls may come. */
export function ready() {
  process.on('SIGTERM', () => process.exit());
  process.on('disconnect', () => process.exit());
  process.send('ready');
}
