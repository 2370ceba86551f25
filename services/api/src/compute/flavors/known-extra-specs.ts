import { looseBoolean } from '../parameter-types.js'

/** What the value of an extra spec may be. */
type ValueRule =
  | { kind: 'boolean' }
  | { kind: 'integer'; minimum?: number; maximum?: number }
  | { kind: 'text'; pattern?: RegExp; oneOf?: readonly string[] }

const boolean: ValueRule = { kind: 'boolean' }
const integer: ValueRule = { kind: 'integer' }
const atLeast = (minimum: number): ValueRule => ({ kind: 'integer', minimum })
const text: ValueRule = { kind: 'text' }
const like = (pattern: RegExp): ValueRule => ({ kind: 'text', pattern })
const oneOf = (...words: string[]): ValueRule => ({ kind: 'text', oneOf: words })

const cpuMask = like(/^\^?\d+(-\d+|,\^?\d+)*$/)

/** Names as they stand. From Nova's `nova/api/validation/extra_specs`. */
const byName = new Map<string, ValueRule>(
  Object.entries({
    hide_hypervisor_id: boolean,
    group_policy: oneOf('isolate', 'none'),
    'accel:device_profile': text,
    'hw:boot_menu': boolean,
    'hw:cpu_cores': atLeast(1),
    'hw:cpu_dedicated_mask': cpuMask,
    'hw:cpu_max_cores': atLeast(1),
    'hw:cpu_max_sockets': atLeast(1),
    'hw:cpu_max_threads': atLeast(1),
    'hw:cpu_policy': oneOf('dedicated', 'shared', 'mixed'),
    'hw:cpu_realtime': boolean,
    'hw:cpu_realtime_mask': cpuMask,
    'hw:cpu_sockets': atLeast(1),
    'hw:cpu_thread_policy': oneOf('prefer', 'isolate', 'require'),
    'hw:cpu_threads': atLeast(1),
    'hw:emulator_threads_policy': oneOf('isolate', 'share'),
    'hw:ephemeral_encryption': boolean,
    'hw:ephemeral_encryption_format': oneOf('plain', 'luks', 'luksv2'),
    'hw:hide_hypervisor_id': boolean,
    'hw:locked_memory': boolean,
    'hw:mem_encryption': boolean,
    'hw:mem_encryption_model': oneOf('amd-sev', 'amd-sev-es', 'amd-sev-snp'),
    'hw:mem_page_size': like(/^(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)$/),
    'hw:numa_nodes': atLeast(1),
    'hw:pci_numa_affinity_policy': oneOf('required', 'preferred', 'legacy', 'socket'),
    'hw:pmem': like(/^[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*,?$/),
    'hw:pmu': boolean,
    'hw:redirected_usb_ports': { kind: 'integer', minimum: 0, maximum: 15 },
    'hw:serial_port_count': atLeast(0),
    'hw:sound_model': oneOf('sb16', 'es1370', 'pcspk', 'ac97', 'ich6', 'ich9', 'usb', 'virtio'),
    'hw:tpm_model': oneOf('tpm-tis', 'tpm-crb'),
    'hw:tpm_secret_security': oneOf('user', 'host', 'deployment'),
    'hw:tpm_version': oneOf('1.2', '2.0'),
    'hw:usb_model': oneOf('none', 'nec-xhci', 'qemu-xhci'),
    'hw:vif_multiqueue_enabled': boolean,
    'hw:viommu_model': oneOf('intel', 'smmuv3', 'virtio', 'auto'),
    'hw:virtio_packed_ring': boolean,
    'hw:watchdog_action': oneOf('none', 'pause', 'poweroff', 'reset', 'disabled'),
    'hw_rng:allowed': boolean,
    'hw_rng:rate_bytes': atLeast(0),
    'hw_rng:rate_period': atLeast(0),
    'hw_video:ram_max_mb': atLeast(0),
    'os:secure_boot': oneOf('disabled', 'required'),
    'pci_passthrough:alias': like(/^[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*$/),
    'quota:cpu_period': atLeast(0),
    'quota:cpu_quota': integer,
    'quota:cpu_shares': atLeast(0),
    'vmware:hw_version': text,
    'vmware:storage_policy': text,
  }),
)

const hostFacts = [
  ...['id', 'uuid', 'service_id', 'host', 'vcpus', 'memory_mb', 'local_gb', 'vcpus_used', 'memory_mb_used', 'local_gb_used'],
  ...['hypervisor_type', 'hypervisor_version', 'hypervisor_hostname', 'free_ram_mb', 'free_disk_gb', 'current_workload'],
  ...['running_vms', 'disk_available_least', 'host_ip', 'mapped', 'cpu_allocation_ratio', 'ram_allocation_ratio'],
  ...['disk_allocation_ratio', 'total_usable_ram_mb', 'total_usable_disk_gb', 'disk_mb_used', 'free_disk_mb', 'vcpus_total'],
  ...['num_instances', 'num_io_ops', 'failed_builds', 'aggregates', 'cell_uuid', 'updated'],
]
const nestedHostFacts = [
  ...['cpu_info', 'metrics', 'stats', 'numa_topology', 'supported_hv_specs', 'pci_device_pools', 'nodename', 'pci_stats'],
  ...['supported_instances', 'limits', 'instances'],
]

/** Names with something in them that varies. */
const byPattern: readonly (readonly [RegExp, ValueRule])[] = [
  [/^aggregate_instance_extra_specs:.+$/, text],
  [new RegExp(`^capabilities:(${hostFacts.join('|')}|(${nestedHostFacts.join('|')})(:\\w+)*)$`), text],
  [/^hw:numa_cpus\.\d+$/, cpuMask],
  [/^hw:numa_mem\.\d+$/, atLeast(1)],
  [/^quota:(cpu|memory|disk_io|vif)_(limit|shares_share)$/, atLeast(0)],
  [/^quota:(cpu|memory|disk_io|vif)_reservation$/, integer],
  [/^quota:(cpu|memory|disk_io|vif)_shares_level$/, oneOf('custom', 'high', 'normal', 'low')],
  [/^quota:disk_(read|write|total)_(bytes|iops)_sec$/, atLeast(0)],
  [/^quota:vif_(inbound|outbound)_(average|peak|burst)$/, atLeast(0)],
  [/^resources[a-zA-Z0-9_-]{0,64}:[A-Z0-9_]+$/, integer],
  [/^trait[a-zA-Z0-9_-]{0,64}:[A-Z0-9_]+$/, oneOf('required', 'forbidden')],
]

/** Namespaces of which every name is known; in others anything goes. */
const namespaces =
  /^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware|(resources|trait)[a-zA-Z0-9_-]{0,64})$/

/** What is wrong with an extra spec, in Nova's words; undefined where nothing is, or nothing is known of it. */
export function checkKnownExtraSpec(name: string, value: string): string | undefined {
  const rule = byName.get(name) ?? byPattern.find(([pattern]) => pattern.test(name))?.[1]
  if (rule) return broken(rule, value)
  const [namespace, rest] = name.split(':', 2)
  if (rest === undefined || !namespaces.test(namespace!)) return undefined
  return `extra spec '${name}' does not appear to be a valid extra spec.`
}

function broken(rule: ValueRule, value: string): string | undefined {
  switch (rule.kind) {
    case 'boolean':
      return looseBoolean(value) === undefined ? `'${value}' is not a valid boolean-like value.` : undefined
    case 'integer': {
      const { minimum = -Infinity, maximum = Infinity } = rule
      if (!/^\s*[+-]?\d+\s*$/.test(value)) return `'${value}' is not a valid integer value.`
      if (Number(value) > maximum) return `'${value}' is greater than the max value of '${maximum}'.`
      return Number(value) < minimum ? `'${value}' is less than the min value of '${minimum}'.` : undefined
    }
    case 'text':
      if (rule.pattern && !rule.pattern.test(value))
        return `'${value}' is not of the format '${rule.pattern.source.slice(1, -1)}'.`
      if (rule.oneOf && !rule.oneOf.includes(value)) return `'${value}' is not one of: ${rule.oneOf.join(', ')}.`
      return undefined
  }
}
