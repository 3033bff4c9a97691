import { Body, Controller, Get, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import type { LimitVerdict } from '@portcullis/contract/limits';
import type { Limiter } from '@portcullis/limits/limiter';
import { LEASE_MS, type RuleTable } from '@portcullis/limits/rule-table';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';
import { questionOf, releaseOf, settlementOf } from './question.js';
import { LIMITER, RULES } from './tokens.js';

/** Limit decisions for gateways and for programs in other languages. A refusal is an answer here, hence 200. */
@Controller('v1')
@UseGuards(bearerGuard('limits:decide'))
export class LimitsController {
  constructor(
    @Inject(LIMITER) private readonly limiter: Limiter,
    @Inject(RULES) private readonly table: () => RuleTable,
  ) {}

  @Post('decide')
  @HttpCode(200)
  decide(@Req() request: Request, @Body() body: unknown): LimitVerdict | Promise<LimitVerdict> {
    return this.limiter.decide(questionOf(requestCaller(request), body));
  }

  @Post('settle')
  @HttpCode(200)
  async settle(@Req() request: Request, @Body() body: unknown): Promise<{ settled: boolean }> {
    const { tenant, lease, llmTokens, costMicros } = settlementOf(requestCaller(request), body);
    return { settled: await this.limiter.settle(tenant, lease, llmTokens, costMicros) };
  }

  @Post('release')
  @HttpCode(200)
  async release(@Req() request: Request, @Body() body: unknown): Promise<{ released: boolean }> {
    const { tenant, lease } = releaseOf(requestCaller(request), body);
    return { released: await this.limiter.release(tenant, lease) };
  }

  @Get('rules')
  rules(): RuleTable & { readonly leaseMs: number } {
    return { ...this.table(), leaseMs: LEASE_MS };
  }
}
