import type { ServiceOptions } from '@nubo/service-kit'
import { AppModule } from './app.module.js'
import { apiConfiguration, type ApiConfiguration } from './configuration.js'
import { surfacesOf } from './surfaces.js'

export const apiService: ServiceOptions<ApiConfiguration> = {
  name: 'api',
  configurationSchema: apiConfiguration,
  module: () => AppModule,
  surfaces: surfacesOf,
  // Keystone has the root: clients that look for the versions of the others look below their own.
  mounts: ['/compute', '/network'],
}
