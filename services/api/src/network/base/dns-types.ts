import { pythonStr } from '@nubo/wire'
import { shortText } from './attribute-types.js'

// What names attributes may hold, refused in the words of `neutron_lib/api/validators/dns.py`.

const longestName = 255
const longestLabel = 63

/** What is wrong with a name that is not empty. */
function faultOf(name: string): string | undefined {
  const labels = name.replace(/\.$/, '').split('.')
  if (labels.includes('')) return 'Encountered an empty component'
  const bad = labels.find((label) => label.length > longestLabel || !/^[a-z0-9-]+$/i.test(label))
  if (bad !== undefined) return `Name '${bad}' must be 1-63 characters long, each of which can only be alphanumeric or a hyphen`
  const hyphened = labels.find((label) => label.startsWith('-') || label.endsWith('-'))
  if (hyphened !== undefined) return `Name '${hyphened}' must not start or end with a hyphen`
  return labels.length > 1 && /^\d+$/.test(labels.at(-1)!) ? `TLD '${labels.at(-1)}' must not be all numeric` : undefined
}

/** A name, or '' for none; in small letters, as DNS compares them. */
const dnsText = (refuse: (name: string) => string | undefined) =>
  shortText(longestName)
    .superRefine((name, context) => {
      const fault = name === '' ? undefined : faultOf(name)
      const message = refuse(name) ?? (fault && `'${pythonStr(name)}' not a valid PQDN or FQDN. Reason: ${fault}`)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .transform((name) => name.toLowerCase())

/** Of a port: within the domain of its network, or with it and a final dot. */
export const dnsName = dnsText(() => undefined)

/** Of a floating IP: within the domain that is named beside it. */
export const relativeDnsName = dnsText((name) =>
  name.endsWith('.') ? `'${name}' is a FQDN. It should be a relative domain name` : undefined,
)

export const dnsDomain = dnsText((name) => (name === '' || name.endsWith('.') ? undefined : `'${name}' is not a FQDN`))
