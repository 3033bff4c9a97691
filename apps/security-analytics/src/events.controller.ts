import { Controller, Get, Inject, Query, Req, UseGuards } from '@nestjs/common';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';
import { listEvents, type DeskPorts } from './desk.js';
import { eventsQuery } from './queries.js';
import { DESK } from './tokens.js';

@Controller('v1/events')
export class EventsController {
  constructor(@Inject(DESK) private readonly desk: DeskPorts) {}

  @Get()
  @UseGuards(bearerGuard('security:read'))
  list(@Req() request: Request, @Query() query: unknown) {
    return listEvents(requestCaller(request), eventsQuery.parse(query), this.desk);
  }
}
