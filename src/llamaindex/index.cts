/** The same for `require('varve/llamaindex')`: nodes are of the classes that `require('llamaindex')` has, which are others. */
import structs = require('@llamaindex/core/data-structs')
import globals = require('@llamaindex/core/global')
import schema = require('@llamaindex/core/schema')
import dropIn = require('./storage-context.ts')

const { IndexDict, IndexList, KeywordTable } = structs
const core = { IndexDict, IndexList, KeywordTable, Settings: globals.Settings, jsonToNode: schema.jsonToNode }

function storageContextFromDefaults(
  options: dropIn.DropInOptions = {},
): Promise<dropIn.DropInStorageContext> {
  return dropIn.DropInStorageContext.open(core, options)
}

export = { storageContextFromDefaults }
