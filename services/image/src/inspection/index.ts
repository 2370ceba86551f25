export { ImageRefused, type RefusalCode } from './image-refused.js'
export { inspectorOf, type DiskFormat, type Inspection, type InspectionLimits, type Inspector } from './inspect.js'
