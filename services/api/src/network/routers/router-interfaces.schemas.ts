import { z } from 'zod'
import { uuidText } from '../base/attribute-types.js'
import { routeList } from '../subnets/subnets.js'

export const interfaceBody = z.object(
  { subnet_id: uuidText.optional(), port_id: uuidText.optional() },
  { error: 'Resource body required' },
)
export type InterfaceBody = z.output<typeof interfaceBody>

export const routesBody = z.object({ router: z.object({ routes: routeList }) }, { error: 'Resource body required' })
export type RoutesBody = z.output<typeof routesBody>
