import { Module, type DynamicModule } from '@nestjs/common';
import { BearerModule, type BearerOptions } from '@portcullis/service/bearer.module';
import { AdminClientsController } from './admin.clients.controller.js';
import { AdminGrantsController } from './admin.grants.controller.js';
import { AdminKeysController } from './admin.keys.controller.js';
import { AdminRevocationsController } from './admin.revocations.controller.js';
import { AdminUsersController } from './admin.users.controller.js';
import { ADMIN_PORTS, type AdminPorts } from './admin-ports.js';
import { BOOTSTRAP_PORTS, BootstrapController, type BootstrapPorts } from './bootstrap.controller.js';
import { CONTAINMENT_KEYS, ContainmentController, type ContainmentKeys } from './containment.controller.js';
import { FormGuard } from './form-guard.module.js';
import { InteractionController, PageFilter } from './interaction.controller.js';
import { INTERACTION_PORTS, type InteractionPorts } from './interaction-ports.js';
import { LoginGuard } from './login.module.js';

export interface AuthServerModuleParts {
  readonly interaction: InteractionPorts;
  readonly admin: AdminPorts;
  readonly bootstrap: BootstrapPorts;
  readonly containmentKeys: ContainmentKeys;
  readonly bearer: BearerOptions;
}

/** The pages and the admin API. The OAuth endpoints are oidc-provider's, mounted in front of this (oidc-mount.ts). */
@Module({})
export class AuthServerModule {
  static forRoot({ interaction, admin, bootstrap, containmentKeys, bearer }: AuthServerModuleParts): DynamicModule {
    return {
      module: AuthServerModule,
      imports: [BearerModule.forRoot(bearer)],
      controllers: [
        InteractionController,
        BootstrapController,
        AdminClientsController,
        AdminUsersController,
        AdminKeysController,
        AdminGrantsController,
        AdminRevocationsController,
        ContainmentController,
      ],
      providers: [
        { provide: INTERACTION_PORTS, useValue: interaction },
        { provide: ADMIN_PORTS, useValue: admin },
        { provide: BOOTSTRAP_PORTS, useValue: bootstrap },
        { provide: CONTAINMENT_KEYS, useValue: containmentKeys },
        FormGuard,
        LoginGuard,
        PageFilter,
      ],
    };
  }
}
