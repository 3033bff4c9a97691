import { startGate, world, type Gate, type World } from './gate.fixture.js';
import { refreshReplicasContract } from './refresh-replicas.contract.js';

let of: World;
const gates: Gate[] = [];
beforeAll(async () => {
  of = await world();
  const first = await startGate(of);
  gates.push(first);
  gates.push(await startGate({ ...of, port: 0 }, {}, { AUTH_ISSUER: first.issuer }));
}, 60_000);
afterAll(async () => {
  await Promise.all(gates.map((gate) => gate.close()));
  await of.database.close();
});

describe('two servers on one embedded database', () =>
  refreshReplicasContract(() => gates as unknown as readonly [Gate, Gate]));
