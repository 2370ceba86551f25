import { randomUUID } from 'node:crypto'
import type { FakeCloud } from './fake-cloud.js'
import { projectId } from './fake-identity.js'
import { pageOf } from './fake-pages.js'
import type { Answer } from './recording-server.js'

/** Gives a cloud Glance v2. */
export function addFakeImages(cloud: FakeCloud): void {
  cloud.on('GET', /^\/image\/v2\/images(?:\?(?<query>.*))?$/, (_request, match) => {
    const query = new URLSearchParams(match.groups!.query)
    const { page, next } = pageOf(
      cloud.images.filter((image) => !query.has('name') || image.name === query.get('name')),
      query,
      cloud.options.pageSize,
    )
    return {
      body: { images: page, first: '/v2/images', schema: '/v2/schemas/images', ...(next && { next: `/v2/images?${next}` }) },
    }
  })
  const one = String.raw`^/image/v2/images/(?<id>[^/?]+)`
  cloud.on('GET', new RegExp(`${one}$`), (_request, match) => withImage(cloud, match.groups!.id!, (image) => ({ body: image })))
  cloud.on('GET', new RegExp(`${one}/file$`), (_request, match) =>
    withImage(cloud, match.groups!.id!, (image) => ({
      headers: { 'content-type': 'application/octet-stream' },
      body: cloud.imageData.get(String(image.id)),
    })),
  )
  cloud.on('POST', /^\/image\/v2\/images$/, (request) => {
    const image = imageRecord({ status: 'queued', ...request.json() })
    cloud.images.push(image)
    return { status: 201, body: image }
  })
  cloud.on('PUT', new RegExp(`${one}/file$`), (request, match) =>
    withImage(cloud, match.groups!.id!, (image) => {
      cloud.imageData.set(String(image.id), Buffer.from(request.body, 'latin1'))
      Object.assign(image, { status: 'active', size: request.body.length })
      return { status: 204 }
    }),
  )
  cloud.on('PATCH', new RegExp(`${one}$`), (request, match) =>
    withImage(cloud, match.groups!.id!, (image) => {
      for (const { op, path, value } of request.json()) {
        if (op === 'remove') delete image[path.slice(1)]
        else image[path.slice(1)] = value
      }
      return { body: image }
    }),
  )
  cloud.on('DELETE', new RegExp(`${one}$`), (_request, match) =>
    withImage(cloud, match.groups!.id!, (image) => {
      cloud.images.splice(cloud.images.indexOf(image), 1)
      return { status: 204 }
    }),
  )
}

function withImage(cloud: FakeCloud, id: string, deed: (image: Record<string, unknown>) => Answer): Answer {
  const image = cloud.images.find((candidate) => candidate.id === id)
  if (image) return deed(image)
  const html = `<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  No image found with ID ${id}<br /><br />\n\n\n </body>\n</html>`
  return { status: 404, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: html }
}

export function imageRecord(image: Record<string, unknown>): Record<string, unknown> {
  return {
    id: randomUUID(),
    name: 'debian',
    visibility: 'shared',
    disk_format: 'qcow2',
    container_format: 'bare',
    size: null,
    min_disk: 0,
    min_ram: 0,
    protected: false,
    owner: projectId,
    tags: [],
    created_at: '2026-11-23T12:00:00Z',
    updated_at: '2026-11-23T12:00:00Z',
    self: '/v2/images/x',
    file: '/v2/images/x/file',
    schema: '/v2/schemas/image',
    ...image,
  }
}
