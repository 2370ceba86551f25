import { isIP } from 'node:net'
import { z } from 'zod'
import { deviceTag } from '../servers.schemas.js'

const ipAddress = z.string().refine((text) => isIP(text) !== 0, { message: 'it is not an IP address' })

export const attachInterfaceBody = z.strictObject({
  interfaceAttachment: z.strictObject({
    net_id: z.guid().optional(),
    port_id: z.guid().optional(),
    fixed_ips: z
      .array(z.strictObject({ ip_address: ipAddress }))
      .min(1)
      .max(1)
      .optional(),
    tag: deviceTag.optional(),
  }),
})
export type AttachInterfaceBody = z.output<typeof attachInterfaceBody>
