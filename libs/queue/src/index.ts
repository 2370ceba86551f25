export { BullMqQueue, type BullMqQueueOptions, type RedisOptions } from './bullmq-queue.js'
export { MemoryQueue, type MemoryQueueOptions } from './memory-queue.js'
export { observed, type QueueObserver } from './observed-queue.js'
export type { Backlog, Message, Queue, Subscription, WorkOptions } from './queue.js'
