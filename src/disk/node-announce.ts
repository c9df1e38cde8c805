/**
 * Local sockets as signs of life, and nothing else: whoever listens lives, because the kernel refuses
 * connections to a killed process. Knows no files; the only door to node:net for announcements.
 */
import { connect, createServer, type Server } from 'node:net'

/** What fits into a socket's address with its closing zero. Node cuts longer paths without a word. */
export const longestAddressBytes = process.platform === 'linux' ? 107 : 103

/**
 * A stopped process still accepts (its kernel queue does), so a silence this long means only that the machine
 * is busy.
 */
const patienceMs = 5000

export interface Listening {
  close(): Promise<void>
}

/** Listens without keeping the process alive. */
export function listen(address: string): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', reject)
    // Exclusive, or in a worker of node:cluster the primary would listen, and live, in its place. Other users
    // may ask, too.
    server.listen({ path: address, exclusive: true, readableAll: true, writableAll: true }, () => {
      server.on('error', () => {})
      resolve({ close: () => closed(server) })
    })
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/**
 * False only if nobody listens for certain; a full queue, a missing right or a silence is no proof of death.
 */
export function isListening(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: address })
    const answer = (alive: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(alive)
    }
    const timer = setTimeout(answer, patienceMs, true)
    socket.once('connect', () => answer(true))
    socket.on('error', (error: NodeJS.ErrnoException) => answer(!deathCodes.has(error.code)))
  })
}

const deathCodes: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTDIR'])
