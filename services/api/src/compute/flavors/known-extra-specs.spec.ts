import { expect, it } from '@jest/globals'
import { checkKnownExtraSpec } from './known-extra-specs.js'

it.each([
  ['hw:cpu_policy', 'dedicated'],
  ['hw:cpu_realtime', 'yes'],
  ['hw:cpu_realtime_mask', '^0-1,3'],
  ['hw:mem_page_size', '2MB'],
  ['hw:numa_cpus.0', '0-3,^2'],
  ['hw:numa_mem.12', '512'],
  ['quota:cpu_quota', '-1'],
  ['quota:disk_read_bytes_sec', '1024'],
  ['quota:vif_inbound_peak', '0'],
  ['resources:VCPU', '2'],
  ['resources1:CUSTOM_FPGA', '1'],
  ['trait:HW_CPU_X86_VMX', 'required'],
  ['capabilities:cpu_info:features', '<in> vmx'],
  ['aggregate_instance_extra_specs:ssd', 'true'],
  ['pci_passthrough:alias', 'gpu:1, nic:2'],
  ['anything', 'goes'],
  ['our:own', 'namespace'],
])('%s may be %s', (name, value) => {
  expect(checkKnownExtraSpec(name, value)).toBeUndefined()
})

it.each([
  ['hw:cpu_policy', 'other', "'other' is not one of: dedicated, shared, mixed."],
  ['hw:cpu_realtime', 'perhaps', "'perhaps' is not a valid boolean-like value."],
  ['hw:cpu_cores', '0', "'0' is less than the min value of '1'."],
  ['hw:cpu_cores', 'two', "'two' is not a valid integer value."],
  ['hw:redirected_usb_ports', '16', "'16' is greater than the max value of '15'."],
  ['hw:cpu_dedicated_mask', '0-', "'0-' is not of the format '\\^?\\d+(-\\d+|,\\^?\\d+)*'."],
  ['hw:numa_mem.x', '1', "extra spec 'hw:numa_mem.x' does not appear to be a valid extra spec."],
  ['hw:cpu_policies', 'shared', "extra spec 'hw:cpu_policies' does not appear to be a valid extra spec."],
  ['trait:HW_CPU', 'wanted', "'wanted' is not one of: required, forbidden."],
  ['resources:vcpu', '1', "extra spec 'resources:vcpu' does not appear to be a valid extra spec."],
])('%s may not be %s', (name, value, problem) => {
  expect(checkKnownExtraSpec(name, value)).toBe(problem)
})

it('is quick with a value that is made to be slow', () => {
  expect(checkKnownExtraSpec('hw:cpu_dedicated_mask', `${'1,1-1'.repeat(50)}x`)).toBeDefined()
})
