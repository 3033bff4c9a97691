import { Module, type DynamicModule } from '@nestjs/common';
import type { Limiter } from '@portcullis/limits/limiter';
import type { RuleTable } from '@portcullis/limits/rule-table';
import { BearerModule, type BearerOptions } from '@portcullis/service/bearer.module';
import { LimitsController } from './limits.controller.js';
import { LIMITER, RULES } from './tokens.js';

@Module({})
export class LimitsModule {
  static forRoot(limiter: Limiter, table: () => RuleTable, bearer: BearerOptions): DynamicModule {
    return {
      module: LimitsModule,
      imports: [BearerModule.forRoot(bearer)],
      controllers: [LimitsController],
      providers: [
        { provide: LIMITER, useValue: limiter },
        { provide: RULES, useValue: table },
      ],
    };
  }
}
