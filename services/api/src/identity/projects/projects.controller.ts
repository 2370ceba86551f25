import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once, type ProjectRow } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { BaseUrl, CurrentCaller, CurrentRequestKey, Guarded, Idempotent } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { collectionView } from '../collection.view.js'
import {
  createProjectPolicy,
  deleteProjectPolicy,
  getProjectPolicy,
  listProjectsPolicy,
  listUserProjectsPolicy,
  updateProjectPolicy,
} from '../identity.policies.js'
import {
  createProjectBody,
  projectQuery,
  updateProjectBody,
  type CreateProject,
  type ProjectQuery,
  type UpdateProject,
} from './projects.schemas.js'
import { ProjectsService } from './projects.service.js'
import { projectView } from './projects.views.js'

/** https://docs.openstack.org/api-ref/identity/v3/#projects */
@Controller('v3')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Get('projects')
  @Guarded(listProjectsPolicy)
  async list(@Query({ schema: projectQuery }) query: ProjectQuery, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await this.projects.list(query)
    return collectionView(
      'projects',
      rows.map((row) => projectView(row, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Post('projects')
  @Guarded(createProjectPolicy)
  @Idempotent()
  async create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: createProjectBody }) body: { project: CreateProject },
    @CurrentRequestKey() key: RequestKey | undefined,
    @BaseUrl() baseUrl: string,
  ) {
    const answer = (row: ProjectRow) => ({ project: projectView(row, baseUrl) })
    return answer(await this.projects.create(caller, body.project, new Once(key, answer)))
  }

  @Get('projects/:project_id')
  @Guarded(getProjectPolicy)
  async show(@Param('project_id') id: string, @BaseUrl() baseUrl: string) {
    return { project: projectView(await this.projects.find(id), baseUrl) }
  }

  @Patch('projects/:project_id')
  @Guarded(updateProjectPolicy)
  async update(
    @Param('project_id') id: string,
    @Body({ schema: updateProjectBody }) body: { project: UpdateProject },
    @BaseUrl() baseUrl: string,
  ) {
    return { project: projectView(await this.projects.update(id, body.project), baseUrl) }
  }

  @Delete('projects/:project_id')
  @Guarded(deleteProjectPolicy)
  @HttpCode(204)
  async delete(@Param('project_id') id: string) {
    await this.projects.delete(id)
  }

  @Get('users/:user_id/projects')
  @Guarded(listUserProjectsPolicy)
  async ofUser(@Param('user_id') id: string, @BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    const rows = await this.projects.ofUser(id)
    return collectionView(
      'projects',
      rows.map((row) => projectView(row, baseUrl)),
      baseUrl,
      request,
    )
  }
}
