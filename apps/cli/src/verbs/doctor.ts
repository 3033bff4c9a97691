import * as z from 'zod';
import { checksOf, findingOf, todosOf, type Finding } from '../doctor.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

const verdict = ({ ok }: Finding): string => (ok === null ? '-' : ok ? 'ok' : 'FAIL');

export const doctor = defineVerb({
  name: 'doctor',
  says: 'whether the gate answers as it should, and what to do where it does not',
  options: [],
  input: z.object({}),
  run: async (_, ports) => {
    const logIn = async () => {
      await (await ports.admin('authAdmin', ['admin:clients'])).get('/clients', { limit: 1 });
      return 'token taken and used';
    };
    const checks = checksOf(await ports.place(), ports.published, logIn, ports.ask);
    const findings = await Promise.all(checks.map(findingOf));
    const columns = [
      { head: 'check', of: ({ check }: Finding) => check },
      { head: '', of: verdict },
      { head: 'seen', of: ({ seen }: Finding) => seen },
    ];
    const todos = todosOf(findings);
    return {
      json: findings,
      text: [table(columns, findings), ...(todos.length > 0 ? ['', ...todos] : [])].join('\n'),
      ok: findings.every(({ ok }) => ok !== false),
    };
  },
});
