import { bootstrap } from './bootstrap.wire.js';

const { code, out, err } = await bootstrap(process.env);
if (out !== undefined) process.stdout.write(`${out}\n`);
if (err !== undefined) process.stderr.write(`${err}\n`);
process.exitCode = code;
