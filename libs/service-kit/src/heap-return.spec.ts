import type { EventLoopUtilization } from 'node:perf_hooks'
import { expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@nubo/kernel'
import { HeapReturn } from './heap-return.js'

const mebibyte = 1024 * 1024

/** A heap whose garbage is all that came since the last collection, and a service whose looks are made by hand. */
class Service {
  usedMiB = 40
  utilization = 0
  collections = 0
  private next: (() => void) | undefined

  constructor() {
    const clock: Clock = { ...systemClock, after: (_delayMs, action) => this.await(action) }
    const heap = { physicalBytes: () => this.usedMiB * mebibyte, collect: () => this.collect() }
    const told = (): EventLoopUtilization => ({ idle: 0, active: 0, utilization: this.utilization })
    new HeapReturn(clock, heap, told).start()
  }

  look(): void {
    this.next!()
  }

  private await(action: () => void) {
    this.next = action
    return { cancel: () => undefined }
  }

  private collect(): void {
    this.usedMiB = 40
    this.collections++
  }
}

it('gives back what a rush took, once the service idles', () => {
  const service = new Service()
  service.look()
  expect(service.collections).toBe(1)
  service.usedMiB = 400
  service.utilization = 0.6
  service.look()
  expect([service.collections, service.usedMiB]).toEqual([1, 400])
  service.utilization = 0.01
  service.look()
  expect([service.collections, service.usedMiB]).toEqual([2, 40])
})

it('lets be what is too little to be worth a pause', () => {
  const service = new Service()
  service.look()
  for (const usedMiB of [41, 60, 71]) {
    service.usedMiB = usedMiB
    service.look()
  }
  expect(service.collections).toBe(1)
  service.usedMiB = 72
  service.look()
  expect(service.collections).toBe(2)
})
