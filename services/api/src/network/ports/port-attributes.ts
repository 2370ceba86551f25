import { canonicalAddress, canonicalMac } from '@nubo/domain'
import { pythonStr } from '@nubo/wire'
import { z } from 'zod'
import { attributeType, ipAddress, Refusal, uuidText } from '../base/attribute-types.js'

const noDevice = '00:00:00:00:00:00'

/** In its canonical form, however it was written. */
export const macAddress = attributeType(z.string(), (value) => {
  const mac = typeof value === 'string' ? canonicalMac(value) : undefined
  return mac === undefined || mac === noDevice ? new Refusal(`'${pythonStr(value)}' is not a valid MAC address`) : mac
})

const invalidFormat = (value: unknown) => `Invalid data format for fixed IP: '${pythonStr(value)}'`
const mostAddresses = 1_000

const oneAddress = z
  .object(
    { subnet_id: uuidText.optional(), ip_address: ipAddress.transform((text) => canonicalAddress(text)!).optional() },
    { error: ({ input }) => invalidFormat(input) },
  )
  .transform(({ subnet_id: subnetId, ip_address: address }) => ({ subnetId, address }))

/** Addresses as they are asked for: several of one subnet may be, each address once. */
export const fixedIps = attributeType(z.array(z.unknown()), (value) =>
  Array.isArray(value) && value.length <= mostAddresses ? value : new Refusal(invalidFormat(value)),
)
  .pipe(z.array(oneAddress))
  .superRefine((addresses, context) => {
    const named = addresses.flatMap(({ address }) => address ?? [])
    const twice = named.find((address, index) => named.indexOf(address) !== index)
    if (twice !== undefined) context.addIssue({ code: 'custom', message: `Duplicate IP address '${twice}'` })
  })
