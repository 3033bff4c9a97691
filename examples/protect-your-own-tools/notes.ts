import { defineTool } from '@portcullis/guard/tool';
import * as z from 'zod';

const notes = ['Buy milk'];

export const readNotes = defineTool({
  name: 'read_notes',
  description: 'Read all notes.',
  scopes: ['notes:read'],
  effects: ['reads-untrusted'],
  limit: { perMinute: 60, llmTokens: 500 },
  input: z.strictObject({}),
  output: z.object({ notes: z.array(z.string()) }),
  execute: async () => ({ notes }),
});

export const addNote = defineTool({
  name: 'add_note',
  description: 'Add one note.',
  scopes: ['notes:write'],
  effects: ['writes'],
  limit: { perMinute: 5, llmTokens: 200 },
  input: z.strictObject({ text: z.string().min(1).max(500) }),
  output: z.object({ count: z.int() }),
  execute: async ({ text }) => ({ count: notes.push(text) }),
});
