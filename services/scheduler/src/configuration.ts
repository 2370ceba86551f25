import { controlPlaneConfiguration, imageCredentialConfiguration } from '@nubo/control-plane'
import { z } from 'zod'

/** The scheduler casts the commands that make guests, so it hands out what their images are fetched with. */
export const schedulerConfiguration = controlPlaneConfiguration.extend({
  imageUrl: z.url(),
  imageCredentials: imageCredentialConfiguration,
})
