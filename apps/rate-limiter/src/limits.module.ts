import { Module, type DynamicModule } from '@nestjs/common';
import type { RuleTable } from '@portcullis/limits/rule-table';
import type { Askers } from './asker.module.js';
import { LimitsController, OpenApiController } from './limits.controller.js';
import { ASKERS, RULES } from './tokens.js';

@Module({})
export class LimitsModule {
  static forRoot(table: () => RuleTable, askers: Askers): DynamicModule {
    return {
      module: LimitsModule,
      controllers: [LimitsController, OpenApiController],
      providers: [
        { provide: ASKERS, useValue: askers },
        { provide: RULES, useValue: table },
      ],
    };
  }
}
