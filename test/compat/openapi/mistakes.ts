/** A fault that is the description's own, and why: the real services answer as we do. */
export interface Mistake {
  fault: RegExp
  why: string
}

/** Of compute (Nova). */
export const computeMistakes: readonly Mistake[] = [
  {
    fault: /flavors.* answered \S+ must NOT have additional properties$/,
    why: 'It leaves out OS-FLV-DISABLED:disabled, and the description that flavors have since 2.55.',
  },
  { fault: /flavors.* answered \S+\/swap must match pattern/, why: "No swap is '' until 2.74." },
  {
    fault: /^GET \/v2.1\/flavors answered \/flavors\/\*\/id must match format "uuid"$/,
    why: 'The id of a flavor is what its maker chose.',
  },
  { fault: /^GET \/v2.1\/servers answered \/servers\/\*\/name must match format "uuid"$/, why: 'A name is a name.' },
  {
    fault:
      /answered \/\S+\/(description|key_name|disabled_reason|(OS-EXT-SRV-ATTR:)?(host|hypervisor_hostname)|OS-EXT-STS:task_state|OS-SRV-USG:launched_at|OS-SRV-USG:terminated_at|OS-EXT-SRV-ATTR:user_data) must be string$/,
    why: 'What is not there is null.',
  },
  { fault: /servers\/detail answered \S+\/accessIPv[46] must match format/, why: "Where no address was given it is ''." },
  {
    fault: /answered \S+\/(start_time|finish_time|updated_at|created_at) must match format "date-time"$/,
    why: "Nova's times of these have no zone.",
  },
  {
    fault: /^POST \/v2.1\/servers answered {2}must match exactly one schema in oneOf$/,
    why: 'Nothing is required of either form, so each answer has both.',
  },
  {
    fault: /^POST \/v2.1\/servers\/:id\/action answered/,
    why: 'It asks of every action what createImage, createBackup and evacuate answer.',
  },
  {
    fault: /^PUT \/v2.1\/servers\/:id answered \/server must have required property/,
    why: 'An update answered with less before 2.75.',
  },
  {
    fault: /^PUT \/v2.1\/os-quota-sets\/:project_id asked {2}boolean schema is false$/,
    why: 'It knows the body of before 2.36 alone.',
  },
  {
    fault: /os-quota-sets\/:project_id\/detail answered .*'(injected_files_\w+|networks)'$/,
    why: 'Two names are misspelt, and networks were a matter of another network service.',
  },
  { fault: /os-hypervisors.* answered \S+\/id must be (string|integer)$/, why: 'It is a number until 2.52.' },
  { fault: /os-hypervisors.* answered \S+\/cpu_info must be object$/, why: 'It is JSON in a string until 2.27.' },
  { fault: /os-hypervisors.* answered \S+\/disk_available_least must be integer$/, why: 'It is null where no driver tells it.' },
  {
    fault: /os-hypervisors.* answered .* must have required property 'servers'$/,
    why: 'They are shown to those who ask for them.',
  },
  { fault: /os-hypervisors.* answered .* must have required property 'uptime'$/, why: 'It came with 2.88, not 2.87.' },
  {
    fault: /os-security-groups answered \S+\/(from_port|to_port|ip_protocol) must be (integer|string)$/,
    why: 'What a rule does not say is null.',
  },
]

/** Of identity (Keystone). */
export const identityMistakes: readonly Mistake[] = [
  {
    fault: /endpoints.* answered \S+\/region boolean schema is false$/,
    why: 'Keystone still shows the region under its old name beside region_id.',
  },
  {
    fault: /answered \S+\/(domain_id|id|region_id) must match format "uuid"$/,
    why: "The Default domain's id is 'default', and a region's what its maker chose.",
  },
  { fault: /^GET \/v3\/auth\/(projects|domains) answered \S*\/links must be array$/, why: 'Links are an object.' },
  { fault: /\/password_expires_at must be string$/, why: 'What never expires is null.' },
  { fault: /^POST \/v3\/domains asked {2}must have required property 'name'$/, why: "It leaves out the outer 'domain'." },
]

/** Of image (Glance). */
export const imageMistakes: readonly Mistake[] = [
  { fault: /^PATCH \/v2\/images\/:image_id asked {2}must be string$/, why: 'A patch is a list of changes.' },
  { fault: /^GET \/v2\/schemas\/\w+ answered {2}must be string$/, why: 'A schema is an object.' },
]

/** Of network (Neutron). */
export const networkMistakes: readonly Mistake[] = [
  {
    fault:
      /answered \S+\/(ipv[46]_address_scope|provider:\w+|ipv6_(ra|address)_mode|remote_(group_id|address_group_id|ip_prefix)|protocol|resources_synced|fixed_ip_address) must be (string|string,integer|equal to one of the allowed values)$/,
    why: 'What is not there is null.',
  },
  {
    fault:
      /answered \S+\/(security_group_rules|dns_assignment|port_details|configurations|subnet_ip_availability|alive|ip_version|total_ips|used_ips) must be string$/,
    why: 'It takes whatever it knows nothing of for a string.',
  },
  { fault: /(asked|answered) \S+\/port_range_(min|max) must be string$/, why: 'A port is a number, and none is null.' },
  { fault: /answered \S+\/dns_(name|domain) must match format "hostname"$/, why: "A domain ends with a dot, and no name is ''." },
  { fault: /subnetpools.* \S+\/prefixes\/\* must match format "uuid"$/, why: 'A prefix is a prefix.' },
  {
    fault: /^GET \/v2.0\/ports answered \S+ must have required property 'extra_dhcp_opts'$/,
    why: 'Whoever asks for some fields gets those alone.',
  },
]
