import { policy, projectReaderOrAdmin } from '@nubo/auth'

export const listOperationsPolicy = policy('nubo:operations:list', 'List what is done to servers.', projectReaderOrAdmin)
export const showOperationPolicy = policy('nubo:operations:show', 'Show one operation with its steps.', projectReaderOrAdmin)
