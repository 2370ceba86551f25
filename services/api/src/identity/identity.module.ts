import { readFileSync } from 'node:fs'
import { Global, Module } from '@nestjs/common'
import { PasswordHasher, publicTokenKey, RevocationList, TokenSigner, TokenVerifier } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { DatabaseRevocations, type Database } from '@nubo/database'
import type { Clock, Random } from '@nubo/kernel'
import { CLOCK, CONFIGURATION, RANDOM } from '@nubo/service-kit'
import type { ApiConfiguration } from '../configuration.js'
import { CatalogController } from './catalog/catalog.controller.js'
import { Catalog } from './catalog/catalog.js'
import { DomainsController } from './domains/domains.controller.js'
import { DomainsService } from './domains/domains.service.js'
import { IdentityVersionsController } from './identity-versions.controller.js'
import { ProjectsController } from './projects/projects.controller.js'
import { ProjectsService } from './projects/projects.service.js'
import { grantsControllers } from './roles/grants.controllers.js'
import { GrantsService } from './roles/grants.service.js'
import { RoleAssignmentsController } from './roles/role-assignments.controller.js'
import { RolesController } from './roles/roles.controller.js'
import { RolesService } from './roles/roles.service.js'
import { AuthScopesController } from './tokens/auth-scopes.controller.js'
import { LoginThrottle } from './tokens/login-throttle.js'
import { PasswordLogin } from './tokens/password-login.js'
import { TokenIssuer } from './tokens/token-issuer.js'
import { TokensController } from './tokens/tokens.controller.js'
import { TokensService } from './tokens/tokens.service.js'
import { UsersController } from './users/users.controller.js'
import { UsersService } from './users/users.service.js'

const tokenKeyProviders = [
  {
    provide: TokenSigner,
    useFactory: ({ tokens }: ApiConfiguration) => new TokenSigner(readFileSync(tokens.privateKeyFile, 'utf8')),
    inject: [CONFIGURATION],
  },
  {
    provide: RevocationList,
    useFactory: (database: Database, clock: Clock) => new RevocationList(new DatabaseRevocations(database), clock),
    inject: [DATABASE, CLOCK],
  },
  {
    provide: TokenVerifier,
    useFactory: ({ tokens }: ApiConfiguration, revocations: RevocationList, clock: Clock) =>
      new TokenVerifier(publicTokenKey(readFileSync(tokens.privateKeyFile, 'utf8')), revocations, clock),
    inject: [CONFIGURATION, RevocationList, CLOCK],
  },
  { provide: PasswordHasher, useFactory: (random: Random) => new PasswordHasher(random), inject: [RANDOM] },
]

/** Identity v3: who there is, what they may, and the tokens that say so. */
@Global()
@Module({
  controllers: [
    IdentityVersionsController,
    TokensController,
    AuthScopesController,
    CatalogController,
    DomainsController,
    ProjectsController,
    UsersController,
    RolesController,
    RoleAssignmentsController,
    ...grantsControllers,
  ],
  providers: [
    ...tokenKeyProviders,
    Catalog,
    LoginThrottle,
    PasswordLogin,
    TokenIssuer,
    TokensService,
    DomainsService,
    ProjectsService,
    UsersService,
    RolesService,
    GrantsService,
  ],
  exports: [TokenVerifier],
})
export class IdentityModule {}
