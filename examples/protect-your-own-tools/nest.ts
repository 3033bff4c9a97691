// Your tools behind the guard, beside the controllers of a Nest application.
import 'reflect-metadata';
import { Controller, Get, Module, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { protect } from '@portcullis/guard/protect.wire';
import { addNote, readNotes } from './notes.js';

const { ISSUER = 'http://127.0.0.1:4400', RESOURCE = 'http://127.0.0.1:4500/mcp' } = process.env;

const gate = protect({ issuer: ISSUER, resource: RESOURCE, tools: [readNotes, addNote] });

@Controller()
class HelloController {
  @Get('hello')
  hello() {
    return { hello: 'from your own controllers' };
  }
}

@Module({ controllers: [HelloController] })
class AppModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  beforeApplicationShutdown = () => gate.drain();
  onApplicationShutdown = () => gate.close();
}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.use(gate.middleware); // before listen(), which brings Nest's own body parser
app.enableShutdownHooks(['SIGTERM']);
await app.listen(Number(new URL(RESOURCE).port), '127.0.0.1');
console.log(`serving ${RESOURCE}`);
