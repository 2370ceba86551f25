import { z } from 'zod'

export const enrolHostKeyBody = z.strictObject({ host_key: z.strictObject({ public_key: z.string().min(1).max(4_096) }) })
export type EnrolHostKeyBody = z.output<typeof enrolHostKeyBody>
