import { cloudAdmin, policy } from '@nubo/auth'

export const examinePolicy = policy('nubo:doctor:examine', 'Hold every promise against the live cloud.', cloudAdmin)
export const repairPolicy = policy('nubo:doctor:repair', 'Mend what the records say how to mend.', cloudAdmin)
