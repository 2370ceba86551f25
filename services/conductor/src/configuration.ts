import { controlPlaneConfiguration, imageCredentialConfiguration } from '@nubo/control-plane'
import { z } from 'zod'

/** The sweeper casts again the commands that make guests, so it hands out what their images are fetched with. */
export const conductorConfiguration = controlPlaneConfiguration.extend({
  imageUrl: z.url(),
  imageCredentials: imageCredentialConfiguration,
})
