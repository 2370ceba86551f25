import { bootSector } from '../libvirt/boot-sector.js'

/**
 * test-guest.S: a guest of one sector. It writes `ready`, heeds the power button, lets go of devices that are wanted back, and
 * obeys single letters on its serial port; any other letter it sends back.
 */
export const testGuest = bootSector(
  Buffer.from(
    'McCO2I7QvAB8vQEAugIGuAAB776mfOh0APv0ugAG7fbEAXQOuAAB776tfOhfAIXtdUy6BK5m7YXtdAW6CK5m77r9A+yoAXTRuvgD7DxvdC48cnQzPG' +
      'R0CTxmdA/oOADruDHtvqZ86CQA6665ABC+u3zoGQDi+L6mfOgRAOubugQGuAAg7+uSsP7mZOuMrITAdBPoAgDr9lC6/QPsqCB0+1i6+APuw3JlYWR5' +
      'CgBwb3dlciBidXR0b24KADAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcQoA',
    'base64',
  ),
)

/** What it obeys: `flood` writes 256 KiB and `ready`; `ignoreButton` makes it deaf to the button, and keeps it from letting go. */
export const testGuestLetters = { powerOff: 'o', reset: 'r', ignoreButton: 'd', flood: 'f' } as const
