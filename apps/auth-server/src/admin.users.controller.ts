import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { base32 } from '@portcullis/contract/ids';
import { bearerGuard, requestCaller } from '@portcullis/service/bearer.module';
import { ApiProblem } from '@portcullis/service/problem';
import type { Request, Response } from 'express';
import { listQuery } from './admin-clients.js';
import {
  administrator,
  ADMIN_PORTS,
  asExpected,
  record,
  recordReading,
  tagged,
  tenantFor,
  type AdminPorts,
} from './admin-ports.js';
import { asked } from './admin-request.module.js';
import { userReason } from './admin-reasons.js';
import { mayGiveRoles, notThemselves } from './admin-rights.js';
import { newPasswordBody, newUserBody, userChangeBody, userView } from './admin-users.js';
import { cursorOf, pageOf } from './paging.js';
import { hashPassword, SALT_BYTES } from './password.js';
import type { UserRecord } from './users.js';
import { expectedVersions } from './versions.js';

@Controller('admin/v1/users')
@UseGuards(bearerGuard('admin:users'))
export class AdminUsersController {
  constructor(@Inject(ADMIN_PORTS) private readonly ports: AdminPorts) {}

  @Post()
  async add(@Req() request: Request, @Res({ passthrough: true }) response: Response, @Body() sent: unknown) {
    const caller = requestCaller(request);
    const body = newUserBody.parse(sent);
    const tenant = tenantFor(caller, body.tenant);
    mayGiveRoles(await administrator(this.ports, caller), body.roles);
    const { users, randomBytes, now } = this.ports;
    const password = body.password ?? base32(randomBytes(20));
    const user: UserRecord = {
      tenant,
      userId: `usr_${base32(randomBytes(16))}`,
      username: body.username,
      passwordHash: await hashPassword(password, randomBytes(SALT_BYTES)),
      roles: [...new Set(body.roles)],
      demo: false,
      disabled: false,
      createdAt: now(),
      version: 1,
    };
    const added = await users.add(tenant, user, () =>
      record(this.ports, caller, tenant, 'user.created', user.userId, userReason({ roles: user.roles })),
    );
    if (!added) throw new ApiProblem(409, 'conflict', 'There is a user of that name already.');
    return { ...userView(tagged(response, user)), ...(body.password === undefined && { password }) };
  }

  @Get()
  async list(@Req() request: Request, @Query() sent: unknown) {
    const caller = requestCaller(request);
    const query = listQuery.parse(sent);
    const tenant = tenantFor(caller, query.tenant);
    await recordReading(this.ports, caller, tenant, 'users.listed');
    const { items, next } = await this.ports.users.list(tenant, pageOf(query));
    return { items: items.map(userView), next_cursor: cursorOf(next) };
  }

  @Get(':user_id')
  async show(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Param('user_id') userId: string,
    @Query() sent: unknown,
  ) {
    const { caller, tenant } = asked(request, sent);
    await recordReading(this.ports, caller, tenant, 'user.shown', named(userId));
    return userView(tagged(response, (await this.ports.users.byId(tenant, userId)) ?? unknownUser()));
  }

  @Patch(':user_id')
  async change(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Param('user_id') userId: string,
    @Query() sent: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
  ) {
    const { caller, tenant } = asked(request, sent);
    const change = userChangeBody.parse(body);
    notThemselves(caller, userId);
    const admin = await administrator(this.ports, caller);
    const confirm = async (before: UserRecord): Promise<void> => {
      mayGiveRoles(admin, [...before.roles, ...(change.roles ?? [])]);
      await record(this.ports, caller, tenant, 'user.changed', userId, userReason(change));
    };
    const changed = await asExpected(
      this.ports.users.change(tenant, named(userId), change, confirm, expectedVersions(ifMatch)),
    );
    if (change.disabled || change.roles) await this.ports.announceRevocations();
    return userView(tagged(response, changed ?? unknownUser()));
  }

  @Post(':user_id/password')
  @HttpCode(200)
  async reset(
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Param('user_id') userId: string,
    @Query() sent: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
  ) {
    const { caller, tenant } = asked(request, sent);
    const given = newPasswordBody.parse(body ?? {});
    const { users, randomBytes } = this.ports;
    const admin = await administrator(this.ports, caller);
    // before the hash, which costs, and again once nobody else can change it
    mayGiveRoles(admin, ((await users.byId(tenant, named(userId))) ?? unknownUser()).roles);
    const password = given.password ?? base32(randomBytes(20));
    const passwordHash = await hashPassword(password, randomBytes(SALT_BYTES));
    const confirm = async (before: UserRecord): Promise<void> => {
      mayGiveRoles(admin, before.roles);
      await record(this.ports, caller, tenant, 'user.password_reset', userId);
    };
    const changed = await asExpected(
      users.change(tenant, userId, { passwordHash }, confirm, expectedVersions(ifMatch)),
    );
    const view = userView(tagged(response, changed ?? unknownUser()));
    await this.ports.announceRevocations();
    return { ...view, ...(given.password === undefined && { password }) };
  }

  @Delete(':user_id')
  @HttpCode(204)
  async remove(
    @Req() request: Request,
    @Param('user_id') userId: string,
    @Query() sent: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    const { caller, tenant } = asked(request, sent);
    notThemselves(caller, userId);
    const admin = await administrator(this.ports, caller);
    const confirm = async (before: UserRecord): Promise<void> => {
      mayGiveRoles(admin, before.roles);
      await record(this.ports, caller, tenant, 'user.removed', userId);
    };
    const removed = await asExpected(
      this.ports.users.remove(tenant, named(userId), confirm, expectedVersions(ifMatch)),
    );
    if (!removed) unknownUser();
    await this.ports.announceRevocations();
  }
}

/** What SQL cannot look for is nobody's id. */
const named = (userId: string): string => (/^[\x21-\x7e]{1,255}$/.test(userId) ? userId : unknownUser());

function unknownUser(): never {
  throw new ApiProblem(404, 'not_found', 'There is no such user.');
}
