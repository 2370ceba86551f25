import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once, type UserRow } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { BaseUrl, CurrentCaller, CurrentRequestKey, Guarded, Idempotent, NotIdempotent, Public } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { collectionView } from '../collection.view.js'
import { createUserPolicy, deleteUserPolicy, getUserPolicy, listUsersPolicy, updateUserPolicy } from '../identity.policies.js'
import {
  changePasswordBody,
  createUserBody,
  updateUserBody,
  userQuery,
  type ChangePassword,
  type CreateUser,
  type UpdateUser,
  type UserQuery,
} from './users.schemas.js'
import { UsersService } from './users.service.js'
import { userView } from './users.views.js'

/** https://docs.openstack.org/api-ref/identity/v3/#users */
@Controller('v3/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @Guarded(listUsersPolicy)
  async list(@Query({ schema: userQuery }) query: UserQuery, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await this.users.list(query)
    return collectionView(
      'users',
      rows.map((row) => userView(row, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Post()
  @Guarded(createUserPolicy)
  @Idempotent()
  async create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: createUserBody }) body: { user: CreateUser },
    @CurrentRequestKey() key: RequestKey | undefined,
    @BaseUrl() baseUrl: string,
  ) {
    const answer = (row: UserRow) => ({ user: userView(row, baseUrl) })
    return answer(await this.users.create(caller, body.user, new Once(key, answer)))
  }

  @Get(':user_id')
  @Guarded(getUserPolicy)
  async show(@Param('user_id') id: string, @BaseUrl() baseUrl: string) {
    return { user: userView(await this.users.find(id), baseUrl) }
  }

  @Patch(':user_id')
  @Guarded(updateUserPolicy)
  async update(
    @Param('user_id') id: string,
    @Body({ schema: updateUserBody }) body: { user: UpdateUser },
    @BaseUrl() baseUrl: string,
  ) {
    return { user: userView(await this.users.update(id, body.user), baseUrl) }
  }

  @Delete(':user_id')
  @Guarded(deleteUserPolicy)
  @HttpCode(204)
  async delete(@Param('user_id') id: string) {
    await this.users.delete(id)
  }

  /** The old password is the proof: who knows it needs no token. */
  @Post(':user_id/password')
  @Public()
  @NotIdempotent('It makes nothing, and a caller who needs no token has no keys.')
  @HttpCode(204)
  async changePassword(@Param('user_id') id: string, @Body({ schema: changePasswordBody }) body: { user: ChangePassword }) {
    await this.users.changePassword(id, body.user)
  }
}
