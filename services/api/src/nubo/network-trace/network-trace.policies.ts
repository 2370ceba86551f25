import { policy, projectReaderOrAdmin } from '@nubo/auth'

export const networkTracePolicy = policy(
  'nubo:network_trace:show',
  'Read what becomes of a packet that a server sends.',
  projectReaderOrAdmin,
)
