/** Sizes for small guests first: the guest image that comes with the cloud boots in 96 MiB. */
export const defaultFlavors = [
  { id: '1', name: 'm1.nano', vcpus: 1, memoryMib: 96, diskGib: 1 },
  { id: '2', name: 'm1.tiny', vcpus: 1, memoryMib: 128, diskGib: 1 },
  { id: '3', name: 'm1.small', vcpus: 1, memoryMib: 512, diskGib: 5 },
  { id: '4', name: 'm1.medium', vcpus: 2, memoryMib: 1_024, diskGib: 10 },
  { id: '5', name: 'm1.large', vcpus: 4, memoryMib: 2_048, diskGib: 20 },
] as const
