export { BullMqQueue, type BullMqQueueOptions, type RedisOptions } from './bullmq-queue.js'
export { MemoryQueue, type MemoryQueueOptions } from './memory-queue.js'
export type { Message, Queue, Subscription, WorkOptions } from './queue.js'
