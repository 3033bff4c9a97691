import { deadLetters } from './dead-letters.wire.js';

/* The program behind `portcullis dead-letters`, since the command line tool holds no driver. */
const { code, out, err } = await deadLetters(process.argv[2] ?? '', process.env);
if (out !== undefined) process.stdout.write(`${out}\n`);
if (err !== undefined) process.stderr.write(`${err}\n`);
process.exitCode = code;
