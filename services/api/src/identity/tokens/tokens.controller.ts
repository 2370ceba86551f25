import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Query, Res } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { CurrentCaller, Guarded, NotIdempotent, Public } from '@nubo/service-kit'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { Catalog } from '../catalog/catalog.js'
import { aboutTokenPolicy } from '../identity.policies.js'
import { authBody, authRequestOf } from './auth-request.js'
import { TokensService } from './tokens.service.js'
import { tokenView } from './tokens.views.js'

const subjectHeader = 'x-subject-token'

/** https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management */
@Controller('v3/auth/tokens')
export class TokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly catalog: Catalog,
  ) {}

  @Post()
  @Public()
  @NotIdempotent('A token is a secret that is kept nowhere, so it cannot be given twice; a second one does no harm.')
  async issue(
    @Body({ schema: authBody }) body: z.output<typeof authBody>,
    @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { token, details } = await this.tokens.issue(authRequestOf(body))
    reply.header('X-Subject-Token', token)
    return tokenView(details, 'nocatalog' in query ? undefined : this.catalog)
  }

  /** HEAD goes the same way. */
  @Get()
  @Guarded(aboutTokenPolicy)
  async validate(
    @CurrentCaller() caller: Caller,
    @Headers(subjectHeader) subject: string | undefined,
    @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const details = await this.tokens.validate(caller, subject)
    reply.header('X-Subject-Token', subject)
    return tokenView(details, 'nocatalog' in query ? undefined : this.catalog)
  }

  @Delete()
  @Guarded(aboutTokenPolicy)
  @HttpCode(204)
  async revoke(@CurrentCaller() caller: Caller, @Headers(subjectHeader) subject: string | undefined) {
    await this.tokens.revoke(caller, subject)
  }
}
