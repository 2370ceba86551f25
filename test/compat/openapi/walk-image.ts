import type { CloudClient } from '../../support/client.js'
import type { Walk } from './walk.js'

const patchType = { 'Content-Type': 'application/openstack-images-v2.1-json-patch' }

export interface ImageGrounds {
  otherProjectId: string
  /** Acts for that project. */
  member: CloudClient
}

/** Makes an image, uses it in every way, takes it away again. */
export async function walkImage(walk: Walk, { otherProjectId, member }: ImageGrounds): Promise<void> {
  const record = {
    name: 'walked',
    disk_format: 'raw',
    container_format: 'bare',
    visibility: 'shared',
    min_disk: 1,
    tags: ['a'],
    os_distro: 'debian',
  }
  const { id } = await walk.ask<{ id: string }>('POST', '/v2/images', { body: record })
  const parameters = { image_id: id, tag: 'walked', member_id: otherProjectId }
  const image = '/v2/images/:image_id'
  const bytes = { parameters, body: 'bytes', headers: { 'Content-Type': 'application/octet-stream' } }
  await walk.ask('PUT', `${image}/file`, bytes)
  await walk.ask('PATCH', image, { parameters, headers: patchType, body: [{ op: 'replace', path: '/name', value: 'changed' }] })
  await walk.ask('PUT', `${image}/tags/:tag`, { parameters })
  await walk.ask('DELETE', `${image}/tags/:tag`, { parameters })
  await walk.ask('POST', `${image}/members`, { parameters, body: { member: otherProjectId } })
  const accept = { parameters, body: { status: 'accepted' }, as: member }
  await walk.ask('PUT', `${image}/members/:member_id`, accept)
  for (const route of [image, `${image}/file`, `${image}/members`, `${image}/members/:member_id`])
    await walk.ask('GET', route, { parameters })
  await walk.ask('DELETE', `${image}/members/:member_id`, { parameters })
  for (const action of ['deactivate', 'reactivate']) await walk.ask('POST', `${image}/actions/${action}`, { parameters })
  await walk.ask('GET', '/v2/images', { query: '?limit=1&visibility=shared' })
  for (const kind of ['image', 'images', 'member', 'members']) await walk.ask('GET', `/v2/schemas/${kind}`)
  await walk.ask('GET', '/v2/info/import')
  await walk.ask('DELETE', image, { parameters })
}
