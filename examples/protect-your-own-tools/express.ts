// Your tools behind the guard, beside the routes of an Express application.
import express from 'express';
import { protect } from '@portcullis/guard/protect.wire';
import { addNote, readNotes } from './notes.js';

const { ISSUER = 'http://127.0.0.1:4400', RESOURCE = 'http://127.0.0.1:4500/mcp' } = process.env;

const gate = protect({ issuer: ISSUER, resource: RESOURCE, tools: [readNotes, addNote] });

const app = express();
app.use(gate.middleware); // before express.json(): the guard reads bodies itself, after it has looked at the token
app.use(express.json());
app.get('/hello', (_request, response) => void response.json({ hello: 'from your own routes' }));

const server = app.listen(Number(new URL(RESOURCE).port), '127.0.0.1', () => console.log(`serving ${RESOURCE}`));

process.once('SIGTERM', () => {
  gate.drain();
  server.close(() => void gate.close());
});
