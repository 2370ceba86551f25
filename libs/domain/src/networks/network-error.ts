import { CloudError, type ErrorKind } from '@nubo/kernel'

/**
 * An error that clients of the network API know by the name of Neutron's exception: `type` of the body
 * (`neutron_lib/exceptions`). Its status is that of its kind.
 */
export const networkError = (kind: ErrorKind, type: string, message: string): CloudError =>
  new CloudError(kind, message, { details: { type } })

/** Neutron's InvalidInput, for what no single attribute is wrong in. */
export const invalidInput = (why: string): CloudError =>
  networkError('Invalid', 'InvalidInput', `Invalid input for operation: ${why}.`)

/** Neutron's BadRequest: 'Bad router request: ...'. */
export const badRequest = (resource: string, why: string): CloudError =>
  networkError('Invalid', 'BadRequest', `Bad ${resource} request: ${why}.`)
