import { Body, Controller, Get, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { leaseRequest, settleRequest, type LimitVerdict } from '@portcullis/contract/limits';
import type { Limiter } from '@portcullis/limits/limiter';
import { LEASE_MS, OTHER_TOOLS, PRINCIPAL_RULE, TOOL_RULES } from '@portcullis/limits/rules';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import type { Request } from 'express';
import { questionOf } from './question.js';
import { LIMITER } from './tokens.js';

/** Limit decisions for gateways and for programs in other languages. A refusal is an answer here, hence 200. */
@Controller('v1')
@UseGuards(bearerGuard('limits:decide'))
export class LimitsController {
  constructor(@Inject(LIMITER) private readonly limiter: Limiter) {}

  @Post('decide')
  @HttpCode(200)
  decide(@Req() request: Request, @Body() body: unknown): LimitVerdict | Promise<LimitVerdict> {
    return this.limiter.decide(questionOf(requestCaller(request), body));
  }

  @Post('settle')
  @HttpCode(200)
  async settle(@Req() request: Request, @Body() body: unknown): Promise<{ settled: boolean }> {
    const { lease, llmTokens } = settleRequest.parse(body);
    return { settled: await this.limiter.settle(requestCaller(request).tenant, lease, llmTokens) };
  }

  @Post('release')
  @HttpCode(200)
  async release(@Req() request: Request, @Body() body: unknown): Promise<{ released: boolean }> {
    const { lease } = leaseRequest.parse(body);
    return { released: await this.limiter.release(requestCaller(request).tenant, lease) };
  }

  @Get('rules')
  rules() {
    return { principal: PRINCIPAL_RULE, tools: TOOL_RULES, otherTools: OTHER_TOOLS, leaseMs: LEASE_MS };
  }
}
