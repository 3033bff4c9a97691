import { Module, type DynamicModule } from '@nestjs/common';
import { BearerModule, type BearerOptions } from '@portcullis/service/bearer.module';
import { AgentsController } from './agents.controller.js';
import type { DeskPorts } from './desk.js';
import { EventsController } from './events.controller.js';
import { DESK } from './tokens.js';

@Module({})
export class AnalyticsModule {
  static forRoot(desk: DeskPorts, bearer: BearerOptions): DynamicModule {
    return {
      module: AnalyticsModule,
      imports: [BearerModule.forRoot(bearer)],
      controllers: [AgentsController, EventsController],
      providers: [{ provide: DESK, useValue: desk }],
    };
  }
}
