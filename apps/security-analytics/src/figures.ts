import { Counter, type Registry } from 'prom-client';
import type { Taken } from './audit-store.js';

/** What the intake did, for /metrics. */
export function figures(registry: Registry): (taken: Taken) => void {
  const registers = [registry];
  const events = new Counter({
    name: 'portcullis_audit_messages_total',
    help: 'Messages taken from the bus: added, repeated (had before) or dead (no event this version knows)',
    labelNames: ['result'],
    registers,
  });
  const transitions = new Counter({
    name: 'portcullis_transitions_total',
    help: 'Steps of agents from one state of behaviour to another that rules made',
    registers,
  });
  return (taken) => {
    events.inc({ result: 'added' }, taken.added);
    events.inc({ result: 'repeated' }, taken.repeated);
    events.inc({ result: 'dead' }, taken.deadLetters);
    transitions.inc(taken.transitions);
  };
}
