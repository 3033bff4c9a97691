import { Module, type DynamicModule } from '@nestjs/common';
import { BearerModule, type BearerOptions } from '@portcullis/service/bearer.module';
import type { frontDoor } from './door.js';
import { DRILLS, DrillsController, type Drills } from './drills.controller.js';
import { ARRIVALS, DOOR, McpController, type Arrivals } from './mcp.controller.js';
import { METADATA, MetadataController, type Metadata } from './metadata.controller.js';

export interface McpModuleParts {
  readonly door: ReturnType<typeof frontDoor>;
  readonly arrivals: Arrivals;
  readonly metadata: Metadata;
  readonly drills: Drills;
  /** who may use the admin API */
  readonly admin: BearerOptions;
}

@Module({})
export class McpModule {
  static forRoot({ door, arrivals, metadata, drills, admin }: McpModuleParts): DynamicModule {
    return {
      module: McpModule,
      imports: [BearerModule.forRoot(admin)],
      controllers: [McpController, MetadataController, DrillsController],
      providers: [
        { provide: DOOR, useValue: door },
        { provide: ARRIVALS, useValue: arrivals },
        { provide: METADATA, useValue: metadata },
        { provide: DRILLS, useValue: drills },
      ],
    };
  }
}
