import { baseConfiguration, databaseConfiguration, redisConfiguration } from '@nubo/service-kit'
import { z } from 'zod'

/** For services that cast commands which make hosts fetch images. */
export const imageCredentialConfiguration = z.strictObject({ privateKeyFile: z.string().min(1) })

/** What signs the commands to hosts, so that nobody commands one by having Redis. */
const hostCommandsConfiguration = z.strictObject({ privateKeyFile: z.string().min(1) })

export const controlPlaneConfiguration = baseConfiguration.extend({
  database: databaseConfiguration,
  redis: redisConfiguration,
  hostCommands: hostCommandsConfiguration,
  /** The image service as hosts reach it. Absent where no command is cast that needs an image. */
  imageUrl: z.url().optional(),
  imageCredentials: imageCredentialConfiguration.optional(),
})
export type ControlPlaneConfiguration = z.output<typeof controlPlaneConfiguration>
