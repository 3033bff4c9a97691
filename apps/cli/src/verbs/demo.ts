import * as z from 'zod';
import { playAll } from '../demo/play.js';
import { SCENARIOS } from '../demo/scenarios.js';
import type { Played } from '../demo/stage.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const demo = defineVerb({
  name: 'demo',
  says: 'plays agents against the running gate, in a tenant of their own, and checks what the gate does',
  options: [],
  input: z.object({}),
  run: async (_, ports) => {
    const played = await playAll(SCENARIOS, ports);
    const columns = [
      { head: 'scenario', of: ({ scenario }: Played) => scenario, wrapAt: 32 },
      { head: 'expected', of: ({ expected }: Played) => expected, wrapAt: 40 },
      { head: 'outcome', of: ({ outcome, ok }: Played) => (ok ? 'as expected' : outcome), wrapAt: 32 },
      { head: 'ok', of: ({ ok }: Played) => (ok ? 'ok' : 'DIFFERS') },
    ];
    const held = played.filter(({ ok }) => ok).length;
    return {
      json: played,
      text: `${table(columns, played)}\n\n${held} of ${played.length} as expected`,
      ok: held === played.length,
    };
  },
});
