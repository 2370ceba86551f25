import { bootSector } from '../libvirt/boot-sector.js'

/**
 * test-guest.S: a guest of one sector. It writes `ready`, heeds the power button, and obeys single letters on its serial
 * port; any other letter it sends back.
 */
export const testGuest = bootSector(
  Buffer.from(
    'McCO2I7QvAB8vQEAugIGuAAB776YfOhmAPv0ugAG7fbEAXQOuAAB776ffOhRAIXtdT66/QPsqAF037r4A+w8b3QuPHJ0MzxkdAk8ZnQP6DgA68' +
      'Yx7b6YfOgkAOu8uQAQvq186BkA4vi+mHzoEQDrqboEBrgAIO/roLD+5mTrmqyEwHQT6AIA6/ZQuv0D7KggdPtYuvgD7sNyZWFkeQoAcG93ZXIg' +
      'YnV0dG9uCgAwMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW5vcHEK',
    'base64',
  ),
)

/** What it obeys: `flood` writes 256 KiB and `ready`; `ignoreButton` makes it deaf to the power button. */
export const testGuestLetters = { powerOff: 'o', reset: 'r', ignoreButton: 'd', flood: 'f' } as const
