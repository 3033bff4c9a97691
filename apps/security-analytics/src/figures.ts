import type { Handle } from '@portcullis/bus/bus';
import { letterIn } from '@portcullis/bus/letters';
import type { Log } from '@portcullis/contract/log';
import { Counter, type Registry } from 'prom-client';
import type { Taken } from './audit-store.js';

/** Counts the dead letters of all services, for /metrics and the log; what was replayed is none. */
export function mourning(registry: Registry, log: Log): Handle {
  const letters = new Counter({
    name: 'portcullis_dead_letters_total',
    help: 'Messages that a service could not take, by the topic they were on and the service',
    labelNames: ['topic', 'group'],
    registers: [registry],
  });
  return async (messages) => {
    for (const { topic, group, reason } of messages.flatMap((message) => letterIn(message) ?? [])) {
      letters.inc({ topic, group });
      log.warn('a message is a dead letter', { topic, group, reason });
    }
  };
}

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
