import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';
import { listAgents, moveAgent, showAgent, type DeskPorts } from './desk.js';
import { agentsQuery, oneTenantQuery, transitionBody } from './queries.js';
import { DESK } from './tokens.js';

@Controller('v1/agents')
export class AgentsController {
  constructor(@Inject(DESK) private readonly desk: DeskPorts) {}

  @Get()
  @UseGuards(bearerGuard('security:read'))
  list(@Req() request: Request, @Query() query: unknown) {
    return listAgents(requestCaller(request), agentsQuery.parse(query), this.desk);
  }

  @Get(':id')
  @UseGuards(bearerGuard('security:read'))
  show(@Req() request: Request, @Param('id') id: string, @Query() query: unknown) {
    return showAgent(requestCaller(request), id, oneTenantQuery.parse(query).tenant, this.desk);
  }

  @Post(':id/transitions')
  @HttpCode(200)
  @UseGuards(bearerGuard('security:respond'))
  move(@Req() request: Request, @Param('id') id: string, @Query() query: unknown, @Body() body: unknown) {
    const { tenant } = oneTenantQuery.parse(query);
    return moveAgent(requestCaller(request), id, { ...transitionBody.parse(body), tenant }, this.desk);
  }
}
