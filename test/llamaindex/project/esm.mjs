// What a user's ESM program loads.
import * as llamaindex from 'llamaindex'
import { storageContextFromDefaults } from 'varve/llamaindex'
import { run } from './scenario.mjs'

await run(llamaindex, storageContextFromDefaults)
