import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common'
import { BaseUrl, Public } from '@nubo/service-kit'
import type { FastifyReply } from 'fastify'

const version = (baseUrl: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${baseUrl}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

/** Keystone's version documents (`keystone/api/discovery.py`). */
@Controller()
export class IdentityVersionsController {
  @Get()
  @Public()
  @HttpCode(300)
  list(@BaseUrl() baseUrl: string, @Res({ passthrough: true }) reply: FastifyReply) {
    reply.header('Location', `${baseUrl}/v3/`)
    return { versions: { values: [version(baseUrl)] } }
  }

  @Get('v3')
  @Public()
  @Header('Content-Type', 'application/json')
  show(@BaseUrl() baseUrl: string) {
    return { version: version(baseUrl) }
  }
}
