import { Controller, Get, HttpCode, Inject } from '@nestjs/common'
import { anyCaller, policy } from '@nubo/auth'
import { CloudError } from '@nubo/kernel'
import { BaseUrl, CONFIGURATION, Guarded, Public } from '@nubo/service-kit'
import type { ImageConfiguration } from '../configuration.js'
import { imageSchema, imagesSchema, memberSchema, membersSchema } from './schemas.js'

/**
 * What is here of Glance's minor versions. 2.8 and 2.10 to 2.18 speak of several stores, of caches and of locations, which
 * are not; without several stores Glance itself leaves most of them out (`glance/api/versions.py`).
 */
const versions = ['2.9', '2.7', '2.6', '2.5', '2.4', '2.3', '2.2', '2.1', '2.0']

const readSchemas = policy('get_schemas', "Read what an image's attributes are", anyCaller)
const readImportMethods = policy('get_import_methods', 'Read by which methods images may be imported', anyCaller)

/** Version documents, schemas and what a client may ask of the site. */
@Controller()
export class VersionsController {
  constructor(@Inject(CONFIGURATION) private readonly configuration: ImageConfiguration) {}

  /** 300 Multiple Choices: the client has yet to choose. */
  @Get()
  @HttpCode(300)
  @Public()
  choices(@BaseUrl() baseUrl: string) {
    return versionsView(baseUrl || this.configuration.publicUrl)
  }

  @Get('versions')
  @Public()
  versions(@BaseUrl() baseUrl: string) {
    return versionsView(baseUrl || this.configuration.publicUrl)
  }

  @Get('v2/schemas/image')
  @Guarded(readSchemas)
  image() {
    return imageSchema
  }

  @Get('v2/schemas/images')
  @Guarded(readSchemas)
  images() {
    return imagesSchema
  }

  @Get('v2/schemas/member')
  @Guarded(readSchemas)
  member() {
    return memberSchema
  }

  @Get('v2/schemas/members')
  @Guarded(readSchemas)
  members() {
    return membersSchema
  }

  /** None: images are uploaded. */
  @Get('v2/info/import')
  @Guarded(readImportMethods)
  importMethods() {
    return { 'import-methods': { description: 'Import methods available.', type: 'array', value: [] } }
  }

  @Get('v2/info/stores')
  @Guarded(readImportMethods)
  stores(): never {
    throw new CloudError('NotFound', 'Multi backend is not supported at this site.')
  }
}

function versionsView(baseUrl: string) {
  return {
    versions: versions.map((version, index) => ({
      id: `v${version}`,
      status: index === 0 ? 'CURRENT' : 'SUPPORTED',
      links: [{ rel: 'self', href: `${baseUrl}/v2/` }],
    })),
  }
}
