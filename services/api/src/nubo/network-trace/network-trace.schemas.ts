import { isIP } from 'node:net'
import { protocolNumber } from '@nubo/domain'
import { z } from 'zod'
import { nonNegativeInteger, single } from '../../compute/parameter-types.js'

const address = z.string().refine((text) => isIP(text) !== 0, { error: 'is not an IP address' })
const port = nonNegativeInteger.pipe(z.number().max(65_535))

export const networkTraceQuery = z
  .strictObject({
    address: z.string().pipe(address),
    /** A name or a number; tcp where a port is given, else icmp. */
    protocol: single(z.string().max(16)),
    port: single(port),
  })
  .transform(({ address: destination, protocol, port: given }, context) => {
    const ethertype = isIP(destination) === 6 ? 'IPv6' : 'IPv4'
    const number = protocolNumber(protocol ?? (given === undefined ? 'icmp' : 'tcp'), ethertype)
    if (number !== undefined) return { destination, protocol: number, port: given }
    context.issues.push({ code: 'custom', path: ['protocol'], message: 'is no IP protocol', input: protocol })
    return z.NEVER
  })
export type NetworkTraceQuery = z.output<typeof networkTraceQuery>
