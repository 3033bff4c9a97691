// MCP-Nest 2: its documented middleware that sets req.user, and @ToolScopes; stateless, JSON.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { MCP_STRATEGY, McpController, McpStrategy, StreamableHttpTransport, Tool, ToolScopes } from '@rekog/mcp-nest';
import { z } from 'zod';
import { lookUp, port, ready, SCOPE, TOOL } from '../shared.mjs';
import { scopesOf, verifyHeader } from './verify.mjs';

class Customers {
  async get({ customerId }) {
    return lookUp(customerId);
  }
}
// what a compiler makes of decorators
const { prototype } = Customers;
const descriptor = Object.getOwnPropertyDescriptor(prototype, 'get');
Reflect.defineMetadata('design:paramtypes', [Object, Object], prototype, 'get');
Payload()(prototype, 'get', 0);
Ctx()(prototype, 'get', 1);
ToolScopes([SCOPE])(prototype, 'get', descriptor);
Tool({ ...TOOL, parameters: z.object({ customerId: z.string() }) })(prototype, 'get', descriptor);
Object.defineProperty(prototype, 'get', descriptor);
McpController()(Customers);

const transport = new StreamableHttpTransport({ statelessMode: true, enableJsonResponse: true });
const strategy = new McpStrategy({ name: 'bench', version: '1.0.0', transports: [transport], logging: false });
class App {}
Module({ controllers: [Customers], providers: [{ provide: MCP_STRATEGY, useValue: strategy }] })(App);

const app = await NestFactory.create(App, { logger: false });
app.use(async (request, response, next) => {
  if (!request.path.startsWith('/mcp')) return next();
  try {
    const claims = await verifyHeader(request.headers.authorization);
    request.user = { ...claims, scopes: scopesOf(claims) };
  } catch {
    response.statusCode = 401;
    return response.end('Unauthorized');
  }
  return next();
});
strategy.setHttpAdapter(app.getHttpAdapter());
app.connectMicroservice({ strategy });
await app.startAllMicroservices();
await app.listen(port, '127.0.0.1');
ready();
