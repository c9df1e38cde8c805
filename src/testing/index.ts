/** For tests of what is built on Varve: a disk in memory that knows what was synced, and can fail and crash. */
export {
  MemoryDisk,
  type Fate,
  type Fault,
  type FaultKind,
  type Image,
  type ImagesOptions,
  type MemoryDiskOptions,
  type Operation,
  type OperationKind,
  type Struck,
} from '../disk/memory-disk.ts'
export type { Decisions } from '../disk/crash-image.ts'
export { seededRandom } from '../disk/seeded-random.ts'
