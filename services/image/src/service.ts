import type { ServiceOptions } from '@nubo/service-kit'
import { imageConfiguration, type ImageConfiguration } from './configuration.js'
import { ImageModule } from './image.module.js'
import { imageSurfaces } from './surfaces.js'

/** The image service: Glance's API v2, and the bytes of images for hosts. */
export const imageService: ServiceOptions<ImageConfiguration> = {
  name: 'image',
  configurationSchema: imageConfiguration,
  module: (configuration) => ImageModule.with(configuration),
  surfaces: imageSurfaces,
  // Uploads take as long as they take; one that stands still is ended on its own.
  requestTimeoutMs: 0,
}
