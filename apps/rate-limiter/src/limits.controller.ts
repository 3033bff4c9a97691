import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { LEASE_MS, type RuleTable } from '@portcullis/limits/rule-table';
import { AskerGuard } from './asker.module.js';
import { openApi } from './openapi.js';
import { RULES } from './tokens.js';

/** The rules that hold, for whoever may ask about limits. What decides is served past Nest (limits.http.ts). */
@Controller('v1')
@UseGuards(AskerGuard)
export class LimitsController {
  constructor(@Inject(RULES) private readonly table: () => RuleTable) {}

  @Get('rules')
  rules(): RuleTable & { readonly leaseMs: number } {
    return { ...this.table(), leaseMs: LEASE_MS };
  }
}

/** What the API is, for whoever asks. */
@Controller()
export class OpenApiController {
  readonly #document = openApi();

  @Get('openapi.json')
  document(): ReturnType<typeof openApi> {
    return this.#document;
  }
}
