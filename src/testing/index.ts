/** For tests of what is built on Varve: a disk in memory that knows what was synced. */
export { MemoryDisk, type MemoryDiskOptions } from '../disk/memory-disk.ts'
