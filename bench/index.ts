/**
 * Varve beside its peers and the machine's own speed: `npm run bench -- [JOB …] [--nodes 1000,10000] [--peers lmdb,sqlite | all | none] [--rounds 1] [--json] [--profile FOLDER]`. Each phase
 * of each contestant is a process of its own, and they take turns. Peers need `npm ci --prefix bench`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  contestantNamed,
  missingPackages,
  peerNames,
  type ContestantName,
  type PeerName,
} from './contestants.ts'
import { jobs } from './jobs.ts'
import { machine } from './machine.ts'
import { refuse, roundsFrom, sizesFrom } from './options.ts'
import { table, tableNote, type Results } from './table.ts'
import { takeTurns } from './turns.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '1000,10000' },
    peers: { type: 'string', default: 'none' },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const sizes = sizesFrom(values.nodes)
const rounds = roundsFrom(values.rounds)
const unknownJobs = positionals.filter((job) => !(job in jobs))
if (unknownJobs.length > 0)
  refuse(`There is no job ${unknownJobs.join(', ')}. Choose from ${Object.keys(jobs).join(', ')}.`)
const names: ContestantName[] = ['varve', ...chosenPeers(), 'bound']
const contestants = await Promise.all(names.map(async (name) => ({ name, ...(await contestantNamed(name)) })))

const parent = mkdtempSync(join(tmpdir(), 'varve-bench-'))
process.on('exit', () => rmSync(parent, { recursive: true, force: true }))
process.on('SIGINT', () => process.exit(130))

const load = loadavg()[0]!
const chosenJobs = Object.keys(jobs).filter(
  (job) => jobs[job]!.in === job || positionals.length === 0 || positionals.includes(job),
)
if (!values.json) console.log(`${machine}; load ${load.toFixed(1)} at the start\n\n${tableNote}`)
const results: Record<string, Results> = {}
for (const nodes of sizes) {
  const place = join(parent, String(nodes))
  results[nodes] = await takeTurns({
    nodes,
    contestants: names,
    rounds,
    jobs: chosenJobs,
    parent: place,
    profile: values.profile,
  })
  if (!values.json) console.log(`\n${table(nodes, results[nodes], contestants)}`)
}
if (values.json) console.log(JSON.stringify({ machine, load, results }, undefined, 2))
else for (const { name, note } of contestants) console.log(`\n**${name}**: ${note}.`)

function chosenPeers(): PeerName[] {
  if (values.peers === 'none') return []
  const names = values.peers === 'all' ? peerNames : (values.peers.split(',') as PeerName[])
  const unknown = names.filter((name) => !peerNames.includes(name))
  if (unknown.length > 0)
    refuse(`There is no peer ${unknown.join(', ')}. Choose from ${peerNames.join(', ')}, or all, or none.`)
  const missing = [...new Set(names.flatMap(missingPackages))]
  if (missing.length > 0)
    refuse(`Not installed: ${missing.join(', ')}. Run npm ci --prefix bench, or choose other --peers.`)
  return names
}
