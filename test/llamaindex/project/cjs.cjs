// What a user's CommonJS program loads: other classes than an ESM program does.
const llamaindex = require('llamaindex')
const { storageContextFromDefaults } = require('varve/llamaindex')

void import('./scenario.mjs').then(({ run }) => run(llamaindex, storageContextFromDefaults))
