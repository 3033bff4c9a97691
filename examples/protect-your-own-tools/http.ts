// Your tools behind the guard, on plain node:http.
import { createServer } from 'node:http';
import { protect } from '@portcullis/guard/protect.wire';
import { addNote, readNotes } from './notes.js';

const { ISSUER = 'http://127.0.0.1:4400', RESOURCE = 'http://127.0.0.1:4500/mcp' } = process.env;

const gate = protect({ issuer: ISSUER, resource: RESOURCE, tools: [readNotes, addNote] });

const server = createServer(gate.listener);
server.listen(Number(new URL(RESOURCE).port), '127.0.0.1', () => console.log(`serving ${RESOURCE}`));

process.once('SIGTERM', () => {
  gate.drain();
  server.close(() => void gate.close());
});
