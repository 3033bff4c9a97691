import * as z from 'zod';
import { NotDone, WrongUse } from '../faults.js';
import { defineVerb, type VerbPorts } from '../verb.js';

const EMBEDDED =
  "This gate runs in embedded mode and has an administrator already: whoever may read its key on this machine. Run 'portcullis user add NAME --role admin'.";

export const bootstrap = defineVerb({
  name: 'bootstrap',
  says: 'prints once a one-use link for the first administrator of a hardened deployment; run it where the authorization server runs',
  options: [],
  input: z.object({}),
  run: async (_input, ports) => {
    const { code, out, err } = await ports.makeBootstrapLink();
    if (code === 1) throw new NotDone(err);
    if (code !== 0 || out === '') throw new WrongUse((await isEmbedded(ports)) ? EMBEDDED : err);
    ports.note('The link is shown this once and works once, within 30 minutes: open it in a browser of yours.');
    return { json: { link: out }, text: out };
  },
});

/** Only a gate of this machine has a local administrator. */
const isEmbedded = ({ place }: VerbPorts): Promise<boolean> =>
  place().then(
    ({ ready }) => typeof ready?.admin === 'string',
    () => false,
  );
