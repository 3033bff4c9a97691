import { Module, type DynamicModule } from '@nestjs/common';
import { BearerModule, type BearerOptions } from '@portcullis/service/bearer.module';
import { APPROVAL_PAGES, ApprovalsController, type ApprovalPagesPorts } from './approvals.controller.js';
import { DRILLS, DrillsController, type Drills } from './drills.controller.js';
import { METADATA, MetadataController, type Metadata } from './metadata.controller.js';

export interface McpModuleParts {
  readonly metadata: Metadata;
  readonly drills: Drills;
  /** on which people approve calls */
  readonly approvals: ApprovalPagesPorts;
  /** who may use the admin API */
  readonly admin: BearerOptions;
}

/** Every route of the server but the MCP endpoint itself, which takes a shorter way (start.ts). */
@Module({})
export class McpModule {
  static forRoot({ metadata, drills, approvals, admin }: McpModuleParts): DynamicModule {
    return {
      module: McpModule,
      imports: [BearerModule.forRoot(admin)],
      controllers: [MetadataController, DrillsController, ApprovalsController],
      providers: [
        { provide: METADATA, useValue: metadata },
        { provide: DRILLS, useValue: drills },
        { provide: APPROVAL_PAGES, useValue: approvals },
      ],
    };
  }
}
