import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { ApiVersion, BaseUrl, CurrentCaller, CurrentRequestKey, Guarded, Idempotent, Operation } from '@nubo/service-kit'
import { nextLink, pageSize } from '../pages.js'
import { requireKey } from '../parameter-types.js'
import { createKeypairPolicy, deleteKeypairPolicy, listKeypairsPolicy, showKeypairPolicy } from './keypairs.policies.js'
import {
  createKeypairBody,
  keypairQuery,
  listKeypairsQuery,
  type CreateKeypairBody,
  type KeypairQuery,
  type ListKeypairsQuery,
} from './keypairs.schemas.js'
import { KeypairsService, type CreatedKeypair } from './keypairs.service.js'
import { createdKeypairView, keypairBriefView, keypairView } from './keypairs.views.js'

/** Before 2.35 all keypairs came at once. */
const pagedSince = 35
/** Since 2.92 keys are imported alone. */
const importedSince = 92

/** https://docs.openstack.org/api-ref/compute/#keypairs-keypairs */
@Controller('v2.1/os-keypairs')
export class KeypairsController {
  constructor(private readonly keypairs: KeypairsService) {}

  @Get()
  @Guarded(listKeypairsPolicy)
  @Operation('keypair.list')
  async list(
    @CurrentCaller() caller: Caller,
    @Query({ schema: listKeypairsQuery }) query: ListKeypairsQuery,
    @ApiVersion() minor: number,
    @BaseUrl() baseUrl: string,
  ) {
    const { user_id: user, limit, marker } = query
    const page = { ...(marker === undefined ? {} : { marker }), ...(minor < pagedSince ? {} : { limit: pageSize(limit) }) }
    const found = await this.keypairs.list(caller, user, page)
    const keypairs = found.map((keypair) => ({ keypair: keypairBriefView(keypair) }))
    if (minor < pagedSince) return { keypairs }
    const asked = { ...query, limit: limit?.toString() }
    const next = { name: 'keypairs_links', path: 'os-keypairs', query: asked, limit, baseUrl }
    return { keypairs, ...nextLink(found, ({ name }) => name, next) }
  }

  @Post()
  @HttpCode(201)
  @Guarded(createKeypairPolicy)
  @Operation('keypair.create', { keypair: 'keypair' })
  @Idempotent({ keypair: 'private_key' })
  async create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: createKeypairBody }) body: CreateKeypairBody,
    @CurrentRequestKey() key: RequestKey | undefined,
    @ApiVersion() minor: number,
  ) {
    if (minor >= importedSince) requireKey(body, ['keypair', 'public_key'])
    const answer = ({ keypair, privateKey }: CreatedKeypair) => ({ keypair: createdKeypairView(keypair, privateKey) })
    return answer(await this.keypairs.create(caller, body, new Once(key, answer)))
  }

  @Get(':name')
  @Guarded(showKeypairPolicy)
  @Operation('keypair.show', { keypair: 'keypair' })
  async show(@CurrentCaller() caller: Caller, @Param('name') name: string, @Query({ schema: keypairQuery }) query: KeypairQuery) {
    return { keypair: keypairView(await this.keypairs.find(caller, query.user_id, name)) }
  }

  @Delete(':name')
  @HttpCode(204)
  @Guarded(deleteKeypairPolicy)
  @Operation('keypair.delete')
  async delete(
    @CurrentCaller() caller: Caller,
    @Param('name') name: string,
    @Query({ schema: keypairQuery }) query: KeypairQuery,
  ) {
    await this.keypairs.delete(caller, query.user_id, name)
  }
}
